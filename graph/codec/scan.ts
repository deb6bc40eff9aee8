import { CodecError } from './dtypes.ts';
import { type ByteAt, DELIMITED, fieldsOf } from './wire.ts';

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
export const scanModel = (bytes: Uint8Array): void => walk((at) => bytes[at] ?? 0, 0, bytes.length, model);

const walk = (byteAt: ByteAt, start: number, end: number, message: Message): void => {
  for (const field of fieldsOf(byteAt, start, end, (number) => check(message, number))) {
    const inner = field.wire === DELIMITED ? message.inner[field.number] : undefined;
    if (inner !== undefined) walk(byteAt, field.body, field.end, inner());
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
