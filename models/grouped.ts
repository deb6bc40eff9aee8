import { type Attention, attentionsOf, operandsOf } from '../graph/attention.ts';
import { GraphBuilder } from '../graph/builder.ts';
import { attributesOf } from '../graph/call.ts';
import { dtypeCodes } from '../graph/codec/dtypes.ts';
import type { Shape } from '../graph/dim.ts';
import { type Graph, indexOf, type Node, type Value } from '../graph/graph.ts';
import { decodingRules, rewrite } from '../graph/rewrite/index.ts';
import { elementCount } from '../graph/tensor.ts';
import type { Model } from './model.ts';
import { expectInput, type State } from './signature.ts';

/** An attention that goes on from what it remembers, as one operator takes it. */
interface Grouped {
  /** Heads side by side: (batch, sequence, heads * width). */
  readonly flats: readonly [query: Value, key: Value, value: Value];
  readonly states: readonly [key: State, value: State];
  readonly heads: number;
  readonly groups: number;
  readonly scale: number;
  /** Added to the scores: (batch or 1, heads or 1, queries, keys). */
  readonly bias: Value;
  /** What the attention makes, and the nodes that make way. */
  readonly output: Value;
  readonly gone: readonly Node[];
}

/** Kernels take heads of such widths. */
const STEP = 8;

/** What is multiplied or divided by a number that the file holds. */
const isScaled = (graph: Graph, { op, inputs }: Node): boolean => {
  const tensor = inputs[1] == null ? undefined : graph.weights.get(inputs[1]);
  return (op === 'Mul' || op === 'Div') && tensor !== undefined && elementCount(tensor.dims) === 1;
};

const permIs = ({ attrs: { perm } }: Node, wanted: string): boolean =>
  perm?.kind === 'ints' && perm.value.join() === wanted;

/** Where (batch, heads, sequence, width) lies as (batch, sequence, heads * width): before heads were put in front. */
const flatOf = (graph: Graph, from: Value, scales: boolean): Value | undefined => {
  const { producer } = indexOf(graph);
  const width = graph.types.get(from)?.shape;
  const [, heads, , each] = width ?? [];
  if (typeof heads !== 'number' || typeof each !== 'number') return undefined;
  let [found, turns]: [Value | undefined, number] = [undefined, 0];
  for (let at: Value | null | undefined = from; at != null; ) {
    const { shape, dtype } = graph.types.get(at) ?? {};
    if (turns === 1 && dtype === 'float32' && shape?.length === 3 && shape[2] === heads * each) found = at;
    const node: Node | undefined = producer.get(at);
    if (node === undefined) return found;
    if (node.op === 'Transpose' && turns++ === 0 && permIs(node, '0,2,1,3')) at = node.inputs[0];
    else if (node.op === 'Reshape' || (scales && isScaled(graph, node))) at = node.inputs[0];
    else return found;
  }
  return found;
};

const handsOn: ReadonlySet<string> = new Set(['Transpose', 'Reshape', 'Expand', 'Unsqueeze', 'Identity']);

/** The state whose present is handed on to a product. */
const stateAt = (graph: Graph, from: Value, states: readonly State[]): State | undefined => {
  for (let at: Value | null | undefined = from; at != null; ) {
    const state = states.find(({ present }) => present === at);
    if (state !== undefined) return state;
    const node: Node | undefined = indexOf(graph).producer.get(at);
    at = node === undefined || !handsOn.has(node.op) ? undefined : node.inputs[0];
  }
  return undefined;
};

/** What is added to the scores in front of the Softmax, where that is all that happens to them beside a scale. */
const biasOf = (graph: Graph, { softmax, product }: Attention): Value | undefined => {
  const { producer } = indexOf(graph);
  const add = producer.get(softmax.inputs[0] as Value);
  if (add?.op !== 'Add') return undefined;
  const isScores = (at: Value | null): boolean => {
    const node = at === null ? undefined : producer.get(at);
    return node !== undefined && (node === product || (isScaled(graph, node) && isScores(node.inputs[0] ?? null)));
  };
  const [bias, ...others] = add.inputs.filter((input) => !isScores(input));
  return others.length === 0 ? (bias ?? undefined) : undefined;
};

/** Whether a bias spreads over texts and heads alone. */
const fits = (shape: Shape | undefined, query: Shape, heads: number): boolean =>
  shape?.length === 4 &&
  (shape[0] === 1 || shape[0] === query[0]) &&
  (shape[1] === 1 || shape[1] === heads) &&
  shape[2] === query[1];

/** The only node that reads a value, which no client does. */
const onlyUser = (graph: Graph, value: Value | undefined): Node | undefined => {
  const [user, ...others] = value === undefined ? [] : (indexOf(graph).users.get(value) ?? []);
  return others.length === 0 && value !== undefined && !graph.outputs.includes(value) ? user : undefined;
};

/** Where heads that were mixed lie side by side again. */
const mergedAt = (graph: Graph, { mixing }: Attention): Value | undefined => {
  const turn = onlyUser(graph, mixing.outputs[0]);
  if (turn?.op !== 'Transpose' || !permIs(turn, '0,2,1,3')) return undefined;
  const merge = onlyUser(graph, turn.outputs[0]);
  return merge?.op === 'Reshape' ? merge.outputs[0] : undefined;
};

const joinOf = (graph: Graph, { past, present }: State): Node | undefined => {
  const node = indexOf(graph).producer.get(present);
  return node?.op === 'Concat' && node.inputs.length === 2 && node.inputs[0] === past ? node : undefined;
};

const sizesOf = (graph: Graph, value: Value): readonly [heads: number, width: number] | undefined => {
  const [, heads, , width] = graph.types.get(value)?.shape ?? [];
  return typeof heads === 'number' && typeof width === 'number' && width % STEP === 0 ? [heads, width] : undefined;
};

const inPieces = (graph: Graph, attention: Attention, states: readonly State[]): Grouped | undefined => {
  const operands = operandsOf(graph, attention);
  const [output, bias] = [mergedAt(graph, attention), biasOf(graph, attention)];
  if (operands === undefined || output === undefined || bias === undefined) return undefined;
  const { queries, keys, values } = operands;
  if (keys.scale !== 1 || values.scale !== 1) return undefined;
  const [keyState, valueState] = [keys, values].map(({ value }) => stateAt(graph, value, states));
  if (keyState === undefined || valueState === undefined) return undefined;
  const joins = [keyState, valueState].map((state) => joinOf(graph, state));
  const [key, value] = joins.map((join) =>
    join === undefined ? undefined : flatOf(graph, join.inputs[1] as Value, false),
  );
  const query = flatOf(graph, queries.value, true);
  const [own, shared] = [sizesOf(graph, queries.value), sizesOf(graph, keyState.present)];
  if (query === undefined || key === undefined || value === undefined || own === undefined || shared === undefined)
    return undefined;
  const [heads, groups] = [own[0], shared[0]];
  const shape = graph.types.get(query)?.shape ?? [];
  if (heads % groups !== 0 || !fits(graph.types.get(bias)?.shape, shape, heads)) return undefined;
  return {
    ...{ flats: [query, key, value], states: [keyState, valueState], heads, groups, scale: attention.scale },
    ...{ bias, output, gone: joins.flatMap((join) => join ?? []) },
  };
};

/** Attention that inference fused, with a bias and states as its inputs. */
const fusedAt = (graph: Graph, node: Node, states: readonly State[]): Grouped | undefined => {
  const [query, key, value, biases, padding, bias] = node.inputs;
  const [output, ...presents] = node.outputs;
  const [keyState, valueState] = presents.map((present) => states.find((state) => state.present === present));
  const { num_heads: count, scale } = node.attrs;
  if (node.op !== 'MultiHeadAttention' || count?.kind !== 'int' || keyState === undefined || valueState === undefined)
    return undefined;
  if (query == null || key == null || value == null || bias == null || biases != null || padding != null)
    return undefined;
  const [heads, width] = [count.value, sizesOf(graph, keyState.present)?.[1]];
  const shape = graph.types.get(query)?.shape ?? [];
  if (width === undefined || output === undefined || !fits(graph.types.get(bias)?.shape, shape, heads))
    return undefined;
  return {
    ...{ flats: [query, key, value], states: [keyState, valueState], heads, groups: heads, bias, output, gone: [] },
    scale: scale?.kind === 'float' ? scale.value : 1 / Math.sqrt(width),
  };
};

/** What all of them read: how many keys there are, one number and one a text, which counts from 0. */
interface Lengths {
  readonly total: Value;
  readonly last: Value;
}

const lengthsOf = (builder: GraphBuilder, mask: Value): Lengths => {
  const to = dtypeCodes.int32;
  const total = builder.op('Cast', [builder.op('Shape', [mask], { start: 1, end: 2 })], { to }); // (1)
  const last = builder.op('Sub', [total, builder.scalar('int32', 1)]);
  const texts = builder.op('Shape', [mask], { start: 0, end: 1 });
  return { total: builder.op('Squeeze', [total]), last: builder.op('Expand', [last, texts]) };
};

const emit = (builder: GraphBuilder, graph: Graph, one: Grouped, { total, last }: Lengths): void => {
  const { flats, states, heads, groups, scale, bias, output } = one;
  const rotation = [null, null, null];
  builder.add(
    {
      ...{ op: 'GroupQueryAttention', domain: 'com.microsoft', name: output },
      inputs: [...flats, ...states.map(({ past }) => past), last, total, ...rotation, bias],
      outputs: [output, ...states.map(({ present }) => present)],
      attrs: attributesOf({ num_heads: heads, kv_num_heads: groups, scale: { float: scale } }),
    },
    (made) => graph.types.get(made),
  );
};

const found = (graph: Graph, states: readonly State[]): readonly Grouped[] => [
  ...attentionsOf(graph).flatMap((attention) => inPieces(graph, attention, states) ?? []),
  ...graph.nodes.flatMap((node) => fusedAt(graph, node, states) ?? []),
];

/**
 * A decoder that remembers with each attention as one operator whose heads share keys and values (Ainslie et al. 2023,
 * 2305.13245), and rotary positions as one: no keys repeated for every head, and a few kernels a layer for each new token. The
 * mask stays what it was, a bias on the scores: told by lengths, as the operator has it, texts behind padding would be
 * answered wrongly. The same model where an attention is none that the operator computes.
 */
export const withGroupedAttention = (model: Model): Model => {
  const graph = rewrite(model.graph, decodingRules);
  const { signature } = model.info;
  const grouped = found(graph, signature.states);
  if (grouped.length === 0 || 2 * grouped.length !== signature.states.length) return model;
  const builder = GraphBuilder.like(graph, { opsets: { 'com.microsoft': 1, ...graph.opsets } });
  const gone = new Set(grouped.flatMap((one) => one.gone));
  let lengths: Lengths | undefined;
  for (const node of graph.nodes) {
    const own = grouped.find(({ output }) => output === node.outputs[0]);
    if (own !== undefined) {
      lengths ??= builder.within('past', () => lengthsOf(builder, expectInput(signature, 'mask')));
      emit(builder, graph, own, lengths);
    } else if (!gone.has(node)) builder.add(node, (value) => graph.types.get(value));
  }
  return { ...model, graph: builder.freeze(graph.outputs) };
};
