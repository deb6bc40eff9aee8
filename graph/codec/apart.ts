import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { isUserError } from '../../ground/errors.ts';
import type { Bytes } from '../tensor.ts';
import { codecError } from './dtypes.ts';
import { fileBytes } from './external.ts';
import { field, fields, joined, lengthOf, type Pieces } from './pieces.ts';
import { type ByteAt, DELIMITED, type Field, fieldsOf } from './wire.ts';

/** A file of weights that stay where they are, and everything else that it holds. */
export interface Apart {
  /** The file without the raw bytes of its large weights. */
  readonly bytes: Uint8Array;
  /** Raw bytes that were left out, by the number of their initializer. */
  readonly weights: ReadonlyMap<number, Bytes>;
}

/** Smaller weights are read with the rest: a read of its own for each would take longer. */
const LEAST_APART = 1 << 16;
/** What is no large weight is held in memory, and some times over while it is decoded. */
const LARGEST_REST = 1 << 28;
/** Bytes around a place that are read together. */
const WINDOW = 1 << 12;
const { graphOfModel, initializerOfGraph, rawDataOfTensor } = fields;
/** Where a tensor says that its data is in another file: such a one is left as it is. */
const otherPlace: ReadonlySet<number> = new Set([13, 14]);

/** Single bytes of an open file, read a window at a time. */
const windowOf = (file: number): ByteAt => {
  const window = new Uint8Array(WINDOW);
  let [start, end] = [0, 0];
  return (at) => {
    if (at < start || at >= end) [start, end] = [at, at + readSync(file, window, 0, WINDOW, at)];
    return window[at - start] ?? 0;
  };
};

const isLarge = ({ number, wire, body, end }: Field): boolean =>
  number === rawDataOfTensor && wire === DELIMITED && end - body >= LEAST_APART;

/** The raw bytes of a large weight; undefined where a tensor is small, or holds its data in another way as well. */
const largeData = (byteAt: ByteAt, initializer: Field): Field | undefined => {
  if (initializer.end - initializer.body < LEAST_APART) return undefined;
  const own = [...fieldsOf(byteAt, initializer.body, initializer.end)];
  const raw = own.filter(({ number }) => number === rawDataOfTensor);
  const [only] = raw;
  const elsewhere = own.some(({ number }) => otherPlace.has(number));
  return raw.length === 1 && only !== undefined && isLarge(only) && !elsewhere ? only : undefined;
};

/** The parts of a file that stay, and the weights that do not. */
const takeApart = (path: string, byteAt: ByteAt, size: number): Apart => {
  const range = (start: number, end: number): Bytes => fileBytes(path, start, end - start);
  const weights = new Map<number, Bytes>();
  let initializers = 0;
  const graphPieces = (graph: Field): Pieces => {
    const pieces: Bytes[] = [];
    let kept = graph.body;
    for (const part of fieldsOf(byteAt, graph.body, graph.end)) {
      if (part.number !== initializerOfGraph || part.wire !== DELIMITED) continue;
      const data = largeData(byteAt, part);
      if (data !== undefined) {
        weights.set(initializers, range(data.body, data.end));
        const described = [range(part.body, data.start), range(data.end, part.end)];
        pieces.push(range(kept, part.start), ...field(initializerOfGraph, described));
        kept = part.end;
      }
      initializers++;
    }
    return field(graphOfModel, [...pieces, range(kept, graph.end)]);
  };
  const model = [...fieldsOf(byteAt, 0, size)].flatMap((part) =>
    part.number === graphOfModel && part.wire === DELIMITED ? graphPieces(part) : [range(part.start, part.end)],
  );
  const rest = lengthOf(model);
  if (rest > LARGEST_REST) {
    throw codecError(`the file has ${rest} bytes beside its large weights; decant reads ${LARGEST_REST} of them`);
  }
  return { bytes: joined(model), weights };
};

/**
 * Reads an ONNX file without the raw bytes of its large weights: models are looked at, cut and rewritten far more often
 * than all of their weights are needed at once. A file that is damaged is read as a whole, for the decoder to say how.
 */
export const readApart = (path: string): Apart => {
  if (!statSync(path).isFile()) throw codecError('it is no file but a folder or a device; an ONNX model was expected');
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    try {
      return takeApart(path, windowOf(file), size);
    } catch (error) {
      if (!isUserError(error, 'codec') || size > LARGEST_REST) throw error;
      return { bytes: fileBytes(path, 0, size).read(), weights: new Map() };
    }
  } finally {
    closeSync(file);
  }
};
