export { decodeGraph } from './decode.ts';
export { CodecError } from './dtypes.ts';
export { encodeGraph, encodeModel } from './encode.ts';
export { fileBytes } from './external.ts';
export { readGraph, writeGraph } from './files.ts';
