import { CodecError } from './dtypes.ts';

/**
 * The decoder drops fields it does not know. That is harmless for hints and comments, but wrong for anything that
 * changes what the model computes, so the raw bytes are walked once and fields outside these lists are refused.
 */
interface Message {
  readonly name: string;
  /** Fields the decoder understands or that carry no meaning (metadata, doc strings, device hints). */
  readonly known: ReadonlySet<number>;
  /** Fields with a meaning that decant cannot hold, by what they are. */
  readonly refused: Readonly<Record<number, string>>;
  /** Messages inside. */
  readonly inner: Readonly<Record<number, () => Message>>;
}

const numbers = (...fields: readonly number[]): ReadonlySet<number> => new Set(fields);

const tensor: Message = {
  name: 'TensorProto',
  known: numbers(1, 2, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 16),
  refused: { 3: 'a segmented tensor', 6: 'string elements' },
  inner: {},
};
const attribute: Message = {
  name: 'AttributeProto',
  known: numbers(1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 20),
  refused: {
    10: 'a list of tensors',
    11: 'a list of graphs',
    14: 'a type',
    15: 'a list of types',
    21: 'a reference to a function attribute',
    22: 'a sparse tensor',
    23: 'a list of sparse tensors',
  },
  inner: { 5: () => tensor, 6: () => graph },
};
const node: Message = {
  name: 'NodeProto',
  known: numbers(1, 2, 3, 4, 5, 6, 7, 9, 10),
  refused: { 8: 'an overload of a local function' },
  inner: { 5: () => attribute },
};
const graph: Message = {
  name: 'GraphProto',
  known: numbers(1, 2, 5, 10, 11, 12, 13, 14, 16),
  refused: { 15: 'sparse initializers (write them dense)' },
  inner: { 1: () => node, 5: () => tensor },
};
const model: Message = {
  name: 'ModelProto',
  known: numbers(1, 2, 3, 4, 5, 6, 7, 8, 14, 26),
  refused: { 20: 'training information', 25: 'local functions (inline them before exporting)' },
  inner: { 7: () => graph },
};

/** Walks the protobuf fields of a model and refuses those that mean something decant would lose. */
export const scanModel = (bytes: Uint8Array): void => walk(bytes, 0, bytes.length, model);

const walk = (bytes: Uint8Array, start: number, end: number, message: Message): void => {
  let at = start;
  while (at < end) {
    const [key, afterKey] = varint(bytes, at, end);
    const field = Math.floor(key / 8);
    check(message, field);
    const [bodyStart, bodyEnd] = extent(bytes, afterKey, end, key % 8);
    const inner = key % 8 === 2 ? message.inner[field] : undefined;
    if (inner !== undefined) walk(bytes, bodyStart, bodyEnd, inner());
    at = bodyEnd;
  }
};

const check = (message: Message, field: number): void => {
  const refused = message.refused[field];
  if (refused !== undefined) throw new CodecError(`the model uses ${refused}, which decant does not support`);
  if (!message.known.has(field)) {
    throw new CodecError(
      `${message.name} has field ${field}, which is newer than decant knows or no ONNX; it may change the meaning of the model`,
    );
  }
};

/** Where a field's body starts and ends, by wire type. */
const extent = (bytes: Uint8Array, at: number, end: number, wire: number): readonly [number, number] => {
  switch (wire) {
    case 0:
      return [at, varint(bytes, at, end)[1]];
    case 1:
      return bounded(at, at + 8, end);
    case 2: {
      const [length, body] = varint(bytes, at, end);
      return bounded(body, body + length, end);
    }
    case 5:
      return bounded(at, at + 4, end);
    default:
      throw new CodecError(`the bytes are no ONNX model: wire type ${wire} at byte ${at}`);
  }
};

const bounded = (start: number, stop: number, end: number): readonly [number, number] => {
  if (stop > end) throw new CodecError(`the file is cut short: a field ends at byte ${stop}, the data at byte ${end}`);
  return [start, stop];
};

const varint = (bytes: Uint8Array, start: number, end: number): readonly [number, number] => {
  let result = 0;
  let scale = 1;
  for (let at = start; at < end && at < start + 10; at++) {
    const byte = bytes[at] ?? 0;
    result += (byte & 127) * scale;
    if (byte < 128) return [result, at + 1];
    scale *= 128;
  }
  throw new CodecError(
    end - start < 10
      ? `the file is cut short: a number at byte ${start} has no end`
      : `the bytes are no ONNX model: a number at byte ${start} is too long`,
  );
};
