import type { Node, Value } from '../../../../graph/graph.ts';
import { indexOf } from '../../../../graph/graph.ts';
import { numbersOf } from '../../../../graph/tensor.ts';
import { isOf, isReadOnce, type Lowering, madeBy, type Place } from './walk.ts';

/** The number in a constant of one element. */
const numberIn = ({ graph }: Pick<Place, 'graph'>, value: Value | null | undefined): number | undefined => {
  const tensor = value == null ? undefined : graph.weights.get(value);
  return tensor?.dtype === 'float32' && tensor.dims.length === 0 ? numbersOf(tensor)[0] : undefined;
};

/** The erf of (erf + 1) / 2. */
const erfIn = (place: Place, node: Node): Value | undefined => {
  const [sum, half] = node.inputs;
  const made = madeBy(place, sum, 'Add');
  if (!isOf(node, 'Mul') || made === undefined || sum == null || !isReadOnce(place, sum)) return undefined;
  const [erf, one] = made.inputs;
  if (erf == null || numberIn(place, half) !== 0.5 || numberIn(place, one) !== 1) return undefined;
  return madeBy(place, erf, 'Erf') === undefined ? undefined : erf;
};

const half = { alpha: { float: 0.5 }, beta: { float: 0.5 } };

/** P = (erf + 1) / 2, which lies between 0 and 1, as one HardSigmoid: one pass instead of two. */
export const distribution: Lowering = (place) => {
  const erf = erfIn(place, place.node);
  if (erf === undefined) return false;
  place.builder.op('HardSigmoid', [erf], half, place.output);
  return true;
};

/** The nodes by which the gradient of a Gelu comes from x to the distribution P(x), the last of them last. */
const chainFrom = (place: Place, x: Value): readonly Node[] | undefined => {
  const { users } = indexOf(place.graph);
  const next = (value: Value | undefined, op: string): Node | undefined =>
    value === undefined ? undefined : users.get(value)?.find((user) => isOf(user, op));
  const scaled = users
    .get(x)
    ?.find((user) => isOf(user, 'Mul') && numberIn(place, user.inputs[1]) === Math.fround(Math.SQRT1_2));
  const erf = next(scaled?.outputs[0], 'Erf');
  const sum = next(erf?.outputs[0], 'Add');
  const last = next(sum?.outputs[0], 'Mul');
  const isChain = scaled !== undefined && erf !== undefined && last !== undefined && erfIn(place, last) !== undefined;
  return isChain ? [scaled, erf, last] : undefined;
};

/** Whether another Gelu of the same value, in either name of the operator, comes before this one. */
const isComputedAgain = ({ graph, node }: Place, x: Value): boolean =>
  indexOf(graph)
    .users.get(x)
    ?.find(({ op }) => op === node.op) !== node;

/**
 * A Gelu that is computed again for the backward pass as x P(x): the gradient of that Gelu computes P(x) anyway, which moves up
 * to here.
 */
export const geluAgain: Lowering = (place) => {
  const { builder, node, output } = place;
  if (builder.hasType(output)) return true;
  const [x] = node.inputs;
  if (node.op !== 'Gelu' || x == null || !isComputedAgain(place, x)) return false;
  const [scaled, erf, last] = chainFrom(place, x) ?? [];
  const [before, distribution] = [erf?.outputs[0], last?.outputs[0]];
  if (scaled === undefined || erf === undefined || before === undefined || distribution === undefined) return false;
  for (const moved of [scaled, erf]) builder.add(moved);
  builder.op('HardSigmoid', [before], half, distribution);
  builder.op('Mul', [x, distribution], {}, output);
  return true;
};
