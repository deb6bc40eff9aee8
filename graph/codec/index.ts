export { decodeGraph } from './decode.ts';
export { encodedBytes, encodeGraph } from './encode.ts';
export { fileBytes } from './external.ts';
export { outsideFile, outsideFiles, readGraph, weightBytes, writeGraph } from './files.ts';
