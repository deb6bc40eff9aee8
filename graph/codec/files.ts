import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isUserError } from '../../ground/errors.ts';
import type { Graph, Value } from '../graph.ts';
import type { Bytes } from '../tensor.ts';
import { readApart } from './apart.ts';
import { decoded } from './decode.ts';
import { codecError } from './dtypes.ts';
import { modelPieces } from './encode.ts';
import type { Location } from './external.ts';

/** protobuf messages end at 2 GiB; stay well below. */
const inlineLimit = 1.5e9;
/** Smaller tensors stay inside the file: shapes and scalars are needed while the graph is loaded. */
const externalMinimum = 1024;
/** Runtimes map external data into memory, which wants aligned tensors. */
const alignment = 64;
/** One write of more than 2 GiB fails in Node. */
const chunk = 1 << 30;

/** Reads an ONNX file. Large weights stay in it, or in its folder, until they are needed: the file must stay, too. */
export const readGraph = async (path: string): Promise<Graph> => read(path).graph;

/** Other files that hold weights of an ONNX file, each once. */
export const outsideFiles = async (path: string): Promise<readonly string[]> => [
  ...new Set(read(path).regions.map(({ location }) => join(dirname(path), location))),
];

const read = (path: string): ReturnType<typeof decoded> => {
  try {
    const { bytes, weights } = readApart(path);
    return decoded(bytes, { folder: dirname(path), apart: weights });
  } catch (error) {
    if (isUserError(error, 'codec')) throw codecError(`${path}: ${error.message}`, { cause: error });
    throw error;
  }
};

const writeAll = async (file: FileHandle, bytes: Uint8Array, at: number): Promise<void> => {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, Math.min(chunk, bytes.length - done), at + done);
    done += bytesWritten;
  }
};

/** Parts below this are written together. */
const smallPiece = 1 << 16;

/** Small parts joined to fewer writes; large ones are read one at a time, piece by piece where they can. */
function* joined(parts: readonly Bytes[]): Generator<Uint8Array> {
  let small: Uint8Array[] = [];
  for (const part of parts) {
    if (part.length < smallPiece) small.push(part.read());
    else {
      yield Buffer.concat(small);
      small = [];
      yield* part.pieces?.() ?? [part.read()];
    }
  }
  yield Buffer.concat(small);
}

const writeParts = async (file: FileHandle, parts: readonly Bytes[], start: number): Promise<void> => {
  let at = start;
  for (const bytes of joined(parts)) {
    await writeAll(file, bytes, at);
    at += bytes.length;
  }
};

/** Writes beside the target and renames, so that a file that is being read is never half new. */
const replaceFile = async (path: string, fill: (file: FileHandle) => Promise<void>): Promise<void> => {
  const temporary = `${path}.${process.pid}.part`;
  try {
    const file = await open(temporary, 'w');
    try {
      await fill(file);
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
};

const placesOf = (graph: Graph, location: string): ReadonlyMap<Value, Location> => {
  const places = new Map<Value, Location>();
  let end = 0;
  for (const [name, { bytes }] of graph.weights) {
    if (bytes.length < externalMinimum) continue;
    const offset = Math.ceil(end / alignment) * alignment;
    places.set(name, { location, offset, length: bytes.length });
    end = offset + bytes.length;
  }
  return places;
};

/** Where the weights of an ONNX file are that lie outside it. */
export const outsideFile = (path: string): string => `${path}_data`;

export const weightBytes = ({ weights }: Graph): number =>
  [...weights.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);

/**
 * Writes an ONNX file. Weights go inside, or into `<name>_data` beside it when `external` is set or they would pass
 * what one file can hold.
 */
export const writeGraph = async (
  path: string,
  graph: Graph,
  options: { readonly external?: boolean } = {},
): Promise<void> => {
  const outside = options.external ?? weightBytes(graph) > inlineLimit;
  const places = outside ? placesOf(graph, basename(outsideFile(path))) : new Map<Value, Location>();
  const pieces = modelPieces(graph, (name) => places.get(name));
  if (places.size > 0) {
    await replaceFile(outsideFile(path), async (file) => {
      for (const [name, { offset }] of places) {
        const tensor = graph.weights.get(name);
        if (tensor !== undefined) await writeParts(file, [tensor.bytes], offset);
      }
    });
  }
  await replaceFile(path, (file) => writeParts(file, pieces, 0));
};
