import type { Dim } from '../../dim.ts';
import { type Graph, indexOf, type Node, type Value } from '../../graph.ts';
import { elementCount } from '../../tensor.ts';
import { numberIn } from './shared.ts';

/** A (batch, sequence) mask behind a value, and whether the value is true (or 1) where attention may look. */
interface Polarity {
  readonly mask: Value;
  readonly keeps: boolean;
}

/** Padding as com.microsoft attention takes it: a mask of 1 and 0 and the number added to the scores of padding. */
export interface Padding {
  readonly mask: Value;
  readonly filter: number;
}

/** Scores below this leave nothing after softmax, so that adding and replacing them come to the same. */
const replaceable = -1e6;
/** Smaller additions are a bias that somebody meant, not a mask. */
const masking = -1e3;

const one = (graph: Graph, name: Value | null | undefined): number | undefined => {
  const tensor = name === null || name === undefined ? undefined : graph.weights.get(name);
  return tensor === undefined || name === null || name === undefined || elementCount(tensor.dims) !== 1
    ? undefined
    : numberIn(graph, name);
};

/** The number among two inputs and the other input. */
const withNumber = (graph: Graph, node: Node): readonly [number, Value] | undefined => {
  const [a = null, b = null] = node.inputs;
  const right = one(graph, b);
  if (right !== undefined && a !== null) return [right, a];
  const left = one(graph, a);
  return left !== undefined && b !== null ? [left, b] : undefined;
};

const flipped = (polarity: Polarity | undefined): Polarity | undefined =>
  polarity === undefined ? undefined : { ...polarity, keeps: !polarity.keeps };

const passing: ReadonlySet<string> = new Set(['Cast', 'Unsqueeze', 'Expand', 'Identity']);

/** Follows casts, added axes, comparisons with 0 and `1 - x` back to a mask of integers or booleans. */
const polarityOf = (graph: Graph, name: Value): Polarity | undefined => {
  const type = graph.types.get(name);
  const whole = type?.dtype === 'int64' || type?.dtype === 'int32' || type?.dtype === 'bool';
  if (whole && type.shape?.length === 2) return { mask: name, keeps: true };
  const node = indexOf(graph).producer.get(name);
  const first = node?.inputs[0] ?? undefined;
  if (node === undefined || first === undefined || node.domain !== '') return undefined;
  if (passing.has(node.op)) return polarityOf(graph, first);
  if (node.op === 'Not') return flipped(polarityOf(graph, first));
  if (node.op === 'Sub' && one(graph, first) === 1) {
    const [, second] = node.inputs;
    return second ? flipped(polarityOf(graph, second)) : undefined;
  }
  if (node.op !== 'Equal') return undefined;
  const pair = withNumber(graph, node);
  return pair?.[0] === 0 ? flipped(polarityOf(graph, pair[1])) : undefined;
};

/** The mask may only differ from its use by inserted axes of size one, or by the queries it was repeated for. */
const spans = (graph: Graph, mask: Value, use: Value, queries: Dim): boolean => {
  const from = graph.types.get(mask)?.shape;
  const to = graph.types.get(use)?.shape;
  if (from?.length !== 2 || to?.length !== 4) return false;
  return to[0] === from[0] && to[1] === 1 && (to[2] === 1 || to[2] === queries) && to[3] === from[1];
};

/** The padding mask behind an additive bias of attention scores: (1 - mask) * -1e9, or a choice of 0 and -1e9. */
export const paddingOfBias = (graph: Graph, bias: Value, queries: Dim): Padding | undefined => {
  const node = indexOf(graph).producer.get(bias);
  if (node === undefined || node.domain !== '') return undefined;
  if (passing.has(node.op) && node.inputs[0] && graph.types.get(node.inputs[0])?.dtype === 'float32') {
    const inner = paddingOfBias(graph, node.inputs[0], 1);
    return inner !== undefined && spans(graph, inner.mask, bias, queries) ? inner : undefined;
  }
  const found =
    node.op === 'Mul' ? productMask(graph, node) : node.op === 'Where' ? choiceMask(graph, node) : undefined;
  if (found === undefined || !spans(graph, found.mask, bias, queries)) return undefined;
  return found.filter <= masking ? found : undefined;
};

const productMask = (graph: Graph, node: Node): Padding | undefined => {
  const pair = withNumber(graph, node);
  // 0 times infinity is no number: such a product masks nothing, it spoils everything.
  if (pair === undefined || !Number.isFinite(pair[0])) return undefined;
  const polarity = polarityOf(graph, pair[1]);
  return polarity === undefined || polarity.keeps ? undefined : { mask: polarity.mask, filter: pair[0] };
};

const choiceMask = (graph: Graph, node: Node): Padding | undefined => {
  const [condition = null, yes, no] = node.inputs;
  const polarity = condition === null ? undefined : polarityOf(graph, condition);
  const [kept, dropped] = polarity?.keeps ? [yes, no] : [no, yes];
  const filter = one(graph, dropped);
  return polarity === undefined || filter === undefined || one(graph, kept) !== 0
    ? undefined
    : { mask: polarity.mask, filter };
};

/** The padding mask where scores are chosen instead of added to: Where(condition, scores, -1e9) or the other way round. */
export const paddingOfCondition = (
  graph: Graph,
  condition: Value,
  options: { readonly keepsWhereTrue: boolean; readonly filter: number; readonly queries: Dim },
): Padding | undefined => {
  const polarity = polarityOf(graph, condition);
  if (polarity === undefined || polarity.keeps !== options.keepsWhereTrue || options.filter > replaceable)
    return undefined;
  return spans(graph, polarity.mask, condition, options.queries)
    ? { mask: polarity.mask, filter: options.filter }
    : undefined;
};
