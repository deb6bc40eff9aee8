import type { Counterfactual, ModelProfile } from '../data/profile.ts';
import { savingOf, timeOf } from './causes/cause.ts';

/** What the time of a run is made of. */
export const parts = [
  'fixed cost of a run',
  'fixed cost of its nodes',
  'steps between float and 8 bits',
  'products, in float32',
  'products, what 8 bits change',
  'attention between the products',
  'work that MACs do not count',
] as const;
export type Split = Readonly<Record<(typeof parts)[number], number>>;

/** The part of the time that products do not take. */
const restOf = ({ times }: ModelProfile): Counterfactual => {
  const stepless = times['without-quantize'] === undefined ? 'full' : 'without-quantize';
  return times['without-product'] === undefined ? stepless : 'without-product';
};

/** Milliseconds that a node costs whatever it does. */
const nodeCost = (model: ModelProfile): number | undefined => {
  const { empty, chain } = model.times;
  const [first, all] = [timeOf(model, 'empty'), timeOf(model, 'chain')];
  if (!empty || !chain || first === undefined || all === undefined) return undefined;
  return (all - first) / Math.max(1, chain.nodes - empty.nodes);
};

/** The least, at 95 %, of the work that MACs do not count; undefined where it was not timed. */
export const leastUncounted = (model: ModelProfile): number | undefined => {
  const [rest, node] = [restOf(model), nodeCost(model)];
  const saving = savingOf(model, 'without-other', rest);
  if (saving === undefined || node === undefined) return undefined;
  const nodes = (model.times[rest]?.nodes ?? 0) - (model.times['without-other']?.nodes ?? 0);
  return saving.leastMs - nodes * node;
};

/** Median over rounds of what the second graph takes less than the first, and the nodes that it has less. */
const step = (
  model: ModelProfile,
  from: Counterfactual,
  to: Counterfactual,
): { readonly ms: number; readonly nodes: number } => {
  const saving = savingOf(model, to, from);
  if (saving === undefined) return { ms: 0, nodes: 0 };
  return { ms: saving.ms, nodes: (model.times[from]?.nodes ?? 0) - (model.times[to]?.nodes ?? 0) };
};

/**
 * Milliseconds of each part. Steps and products are taken away one after the other, attention and uncounted work each
 * from what then remains, fixed costs come from graphs of their own. Undefined where these were not timed.
 */
export const splitOf = (model: ModelProfile): Split | undefined => {
  const [first, all, node] = [timeOf(model, 'empty'), timeOf(model, 'chain'), nodeCost(model)];
  if (first === undefined || all === undefined || node === undefined) return undefined;
  const cost = (from: Counterfactual, to: Counterfactual): number => {
    const { ms, nodes } = step(model, from, to);
    return ms - nodes * node;
  };
  const stepless = model.times['without-quantize'] === undefined ? 'full' : 'without-quantize';
  const rest = restOf(model);
  const steps = cost('full', stepless);
  // In float32 there are no steps and other products; everything else is the same.
  const fewerBits = model.times.float === undefined ? 0 : cost('full', 'float') - steps;
  return {
    'fixed cost of a run': first,
    'fixed cost of its nodes': all - first,
    'steps between float and 8 bits': steps,
    'products, in float32': cost(stepless, rest) - fewerBits,
    'products, what 8 bits change': fewerBits,
    'attention between the products': cost(rest, 'without-attention'),
    'work that MACs do not count': cost(rest, 'without-other'),
  };
};
