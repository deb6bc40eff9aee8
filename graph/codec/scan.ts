import { codecError } from './dtypes.ts';
import { type Limit, withinLimit } from './limits.ts';
import { type ByteAt, DELIMITED, type Field, fieldsOf } from './wire.ts';

/**
 * The decoder drops fields it does not know. That is harmless for hints and comments, but wrong for anything that
 * changes what the model computes, so the raw bytes are walked once and fields outside these lists are refused. On the way
 * it is counted what the file asks for, before anything is built of it.
 */
interface Message {
  readonly name: string;
  /** Fields the decoder understands or that carry no meaning (metadata, doc strings, device hints); undefined for all. */
  readonly known?: ReadonlySet<number>;
  /** Fields with a meaning that decant cannot hold, by what they are. */
  readonly refused?: Readonly<Record<number, string>>;
  /** Messages inside. */
  readonly inner: Readonly<Record<number, () => Message>>;
  /** Fields of which a message holds so many at most. */
  readonly counted?: Readonly<Record<number, Limit>>;
  /** Fields of which the whole file holds so many at most. */
  readonly total?: Readonly<Record<number, Limit>>;
  /** Fields that are so long at most. */
  readonly sized?: Readonly<Record<number, Limit>>;
}

const numbers = (...fields: readonly number[]): ReadonlySet<number> => new Set(fields);

const tensor: Message = {
  name: 'TensorProto',
  known: numbers(1, 2, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 16),
  refused: { 3: 'a segmented tensor', 6: 'string elements' },
  inner: {},
  counted: { 1: 'axes', 13: 'attributes' },
  // Packed dimensions take a byte each at least.
  sized: { 1: 'axes', 5: 'integers', 7: 'integers', 8: 'name', 11: 'integers', 13: 'name' },
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
  counted: { 7: 'list', 8: 'list', 9: 'arity' },
  sized: { 1: 'name', 4: 'list', 7: 'list', 8: 'list', 9: 'name' },
};
const node: Message = {
  name: 'NodeProto',
  known: numbers(1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
  inner: { 5: () => attribute },
  counted: { 1: 'arity', 2: 'arity', 5: 'attributes' },
  sized: { 1: 'name', 2: 'name', 3: 'name', 4: 'name', 7: 'name', 8: 'name' },
};
const dimension: Message = { name: 'Dimension', inner: {}, sized: { 2: 'name', 3: 'name' } };
const shape: Message = { name: 'TensorShapeProto', inner: { 1: () => dimension }, counted: { 1: 'axes' } };
const tensorType: Message = { name: 'TypeProto.Tensor', inner: { 2: () => shape } };
/** Sequences, maps and optional values hold a type again. */
const holder: Message = { name: 'TypeProto', inner: { 1: () => type, 2: () => type } };
const type: Message = {
  name: 'TypeProto',
  inner: { 1: () => tensorType, 4: () => holder, 5: () => holder, 8: () => tensorType, 9: () => holder },
};
const valueInfo: Message = { name: 'ValueInfoProto', inner: { 2: () => type }, sized: { 1: 'name' } };
const graph: Message = {
  name: 'GraphProto',
  known: numbers(1, 2, 5, 10, 11, 12, 13, 14, 16),
  refused: { 15: 'sparse initializers (write them dense)' },
  inner: { 1: () => node, 5: () => tensor, 11: () => valueInfo, 12: () => valueInfo, 13: () => valueInfo },
  total: { 1: 'nodes', 5: 'weights', 11: 'ports', 12: 'ports', 13: 'values', 14: 'values', 16: 'values' },
  sized: { 2: 'name' },
};
/** Inside a local function an attribute may be one of the call's. */
const { 21: _, ...alsoRefused } = attribute.refused ?? {};
const functionAttribute: Message = {
  ...attribute,
  known: numbers(1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 20, 21),
  refused: alsoRefused,
  inner: { 5: () => tensor, 6: () => functionGraph },
  sized: { ...attribute.sized, 21: 'name' },
};
const functionNode: Message = { ...node, inner: { 5: () => functionAttribute } };
const functionGraph: Message = { ...graph, inner: { ...graph.inner, 1: () => functionNode } };
const localFunction: Message = {
  name: 'FunctionProto',
  known: numbers(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14),
  inner: { 7: () => functionNode, 11: () => attribute },
  counted: { 4: 'arity', 5: 'arity', 6: 'attributes', 9: 'attributes', 11: 'attributes' },
  total: { 7: 'nodes', 12: 'values', 14: 'values' },
  sized: { 1: 'name', 4: 'name', 5: 'name', 6: 'name', 10: 'name', 13: 'name' },
};
const model: Message = {
  name: 'ModelProto',
  known: numbers(1, 2, 3, 4, 5, 6, 7, 8, 14, 25, 26),
  refused: { 20: 'training information' },
  inner: { 7: () => graph, 25: () => localFunction },
  counted: { 8: 'attributes', 14: 'values' },
  total: { 25: 'nodes' },
};

/** Walks the protobuf fields of a model; refuses those that mean something decant would lose, and files that ask for too much. */
export const scanModel = (bytes: Uint8Array): void =>
  walk({ byteAt: (at) => bytes[at] ?? 0, totals: new Map() }, { start: 0, end: bytes.length, depth: 0 }, model);

interface Walk {
  readonly byteAt: ByteAt;
  readonly totals: Map<Limit, number>;
}

/** Messages between a graph and the graph inside it: node and attribute. */
const LEVELS = 3;

const raised = <K>(counts: Map<K, number>, key: K): number => {
  const count = (counts.get(key) ?? 0) + 1;
  counts.set(key, count);
  return count;
};

const count = (
  message: Message,
  { number, body, end }: Field,
  own: Map<number, number>,
  totals: Walk['totals'],
): void => {
  const [counted, total, sized] = [message.counted?.[number], message.total?.[number], message.sized?.[number]];
  if (counted !== undefined) withinLimit(counted, raised(own, number));
  if (total !== undefined) withinLimit(total, raised(totals, total));
  if (sized !== undefined) withinLimit(sized, end - body);
};

const walk = (
  progress: Walk,
  { start, end, depth }: { readonly start: number; readonly end: number; readonly depth: number },
  message: Message,
): void => {
  withinLimit('depth', Math.floor(depth / LEVELS));
  const own = new Map<number, number>();
  for (const field of fieldsOf(progress.byteAt, start, end, (number) => check(message, number))) {
    count(message, field, own, progress.totals);
    const inner = field.wire === DELIMITED ? message.inner[field.number] : undefined;
    if (inner !== undefined) walk(progress, { start: field.body, end: field.end, depth: depth + 1 }, inner());
  }
};

const check = ({ name, known, refused }: Message, field: number): void => {
  const meaning = refused?.[field];
  if (meaning !== undefined) throw codecError(`the model uses ${meaning}, which decant does not support`);
  if (known?.has(field) === false) {
    throw codecError(
      `${name} has field ${field}, which is newer than decant knows or no ONNX; it may change the meaning of the model`,
    );
  }
};
