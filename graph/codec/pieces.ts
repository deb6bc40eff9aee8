import { type Bytes, bytesOf } from '../tensor.ts';

/** Bytes in order. Weights are read when their turn comes, so that a file is written without a second copy of them. */
export type Pieces = readonly Bytes[];

export const lengthOf = (pieces: Pieces): number => pieces.reduce((sum, { length }) => sum + length, 0);

/** Numbers of the fields of ONNX's messages that are put together and taken apart by hand. */
export const fields = { graphOfModel: 7, initializerOfGraph: 5, rawDataOfTensor: 9 } as const;

/** A field of known length: number and wire type, then the length, seven bits a byte. */
export const field = (number: number, pieces: Pieces): Pieces => {
  const opening = [(number << 3) | 2];
  let rest = lengthOf(pieces);
  for (; rest > 127; rest = Math.floor(rest / 128)) opening.push((rest % 128) | 128);
  return [bytesOf(Uint8Array.from([...opening, rest])), ...pieces];
};

/** All pieces in one array. */
export const joined = (pieces: Pieces): Uint8Array => {
  const bytes = new Uint8Array(lengthOf(pieces));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece.read(), at);
    at += piece.length;
  }
  return bytes;
};
