import { stream } from '../../../data/random.ts';
import type { MaskScope } from '../../../engine/gated.ts';
import type { StepScope } from '../../../engine/losses/loss.ts';
import type { GraphBuilder } from '../../../graph/builder.ts';
import type { Value } from '../../../graph/graph.ts';
import type { Choice } from './choice.ts';
import { emitMean, emitOpen, emitSample } from './hard-concrete.ts';

/** log a of gates that have learnt nothing: open with 99 in 100. */
export const OPEN = 3;

/** Units that have gates. */
type Units = Pick<Choice, 'name' | 'count'>;

/** The parameter of units, a number each: log a - OPEN. */
export const gatesName = ({ name }: Pick<Units, 'name'>): string => `gates/${name.replaceAll(' ', '_')}`;

type Parameters = Pick<MaskScope, 'builder' | 'parameter'>;

const logAlpha = ({ builder, parameter }: Parameters, units: Units): Value =>
  builder.op('Add', [parameter(gatesName(units), [units.count], { kind: 'zeros' }), builder.scalar('float32', OPEN)]);

/** What each gate counts: (units). */
export const openIn = (scope: StepScope, units: Units): Value => emitOpen(scope.builder, logAlpha(scope, units));

/** log u - log(1 - u) for every unit, the same for all passes of an update. */
const drawn = (seed: number, { name, count }: Units, done: number): Float32Array => {
  const random = stream(seed, 'gates', name, done);
  return Float32Array.from({ length: count }, () => {
    const u = Math.min(1 - 1e-6, Math.max(1e-6, random.uniform()));
    return Math.log(u) - Math.log1p(-u);
  });
};

/** One number a unit: drawn while the model trains, without chance where it answers. */
const emitGates = (scope: MaskScope, units: Units, seed: number): Value => {
  const { builder, input } = scope;
  const own = logAlpha(scope, units);
  if (input === undefined) return emitMean(builder, own);
  const logit = input({
    ...{ name: `${gatesName(units)}/chance`, dtype: 'float32', shape: [units.count] },
    feed: ({ done }) => ({ dtype: 'float32', dims: [units.count], data: drawn(seed, units, done) }),
  });
  return emitSample(builder, own, logit);
};

/** Places at which the same units are masked share their gates. */
export const gatesFor = (units: Units, seed: number): ((scope: MaskScope) => Value) => {
  const made = new WeakMap<GraphBuilder, Value>();
  return (scope) => {
    const known = made.get(scope.builder) ?? emitGates(scope, units, seed);
    made.set(scope.builder, known);
    return known;
  };
};
