import { stream } from '../../../data/random.ts';
import type { Gated, MaskScope } from '../../../engine/gated.ts';
import type { StepScope } from '../../../engine/losses/loss.ts';
import type { GraphBuilder } from '../../../graph/builder.ts';
import type { Graph, Value } from '../../../graph/graph.ts';
import { tensorOf } from '../../../graph/tensor.ts';
import { stageError } from '../../../ground/errors.ts';
import type { Part } from '../../../models/anatomy.ts';
import { type Gate, gatesOf } from '../gates.ts';
import { emitMean, emitOpen, emitSample } from './hard-concrete.ts';

/** log a of gates that have learnt nothing: open with 99 in 100. */
export const OPEN = 3;

/** The parameter of a part, one number a unit: log a - OPEN. */
export const gatesName = ({ name }: Part): string => `gates/${name.replaceAll(' ', '_')}`;

type Parameters = Pick<MaskScope, 'builder' | 'parameter'>;

const logAlpha = ({ builder, parameter }: Parameters, part: Part): Value =>
  builder.op('Add', [parameter(gatesName(part), [part.count], { kind: 'zeros' }), builder.scalar('float32', OPEN)]);

/** What each gate of a part counts: (units). */
export const openIn = (scope: StepScope, part: Part): Value => emitOpen(scope.builder, logAlpha(scope, part));

/** log u - log(1 - u) for every unit, the same for all passes of an update. */
const drawn = (seed: number, { name, count }: Part, done: number): Float32Array => {
  const random = stream(seed, 'gates', name, done);
  return Float32Array.from({ length: count }, () => {
    const u = Math.min(1 - 1e-6, Math.max(1e-6, random.uniform()));
    return Math.log(u) - Math.log1p(-u);
  });
};

/** One number a unit: drawn while the model trains, without chance where it answers. */
const emitGates = (scope: MaskScope, part: Part, seed: number): Value => {
  const { builder, input } = scope;
  const own = logAlpha(scope, part);
  if (input === undefined) return emitMean(builder, own);
  const logit = input({
    ...{ name: `${gatesName(part)}/chance`, dtype: 'float32', shape: [part.count] },
    feed: ({ done }) => ({ dtype: 'float32', dims: [part.count], data: drawn(seed, part, done) }),
  });
  return emitSample(builder, own, logit);
};

/** Whether each unit owns the next `width` indices. */
const isEven = (owner: Int32Array, width: number): boolean => owner.every((unit, i) => unit === Math.floor(i / width));

/** A number a unit as a number an index: (indices). */
const spread = (builder: GraphBuilder, gates: Value, { owner }: Gate, count: number): Value => {
  const width = owner.length / count;
  if (width === 1 && isEven(owner, 1)) return gates;
  if (Number.isInteger(width) && isEven(owner, width)) {
    const ones = builder.constant(tensorOf('float32', [1, width], new Float32Array(width).fill(1)));
    const wide = builder.op('Mul', [builder.op('Reshape', [gates, builder.ints([count, 1])]), ones]);
    return builder.op('Reshape', [wide, builder.ints([owner.length])]);
  }
  // What belongs to no unit always stays.
  const all = builder.op('Concat', [gates, builder.constant(tensorOf('float32', [1], Float32Array.of(1)))], {
    axis: 0,
  });
  const ids = BigInt64Array.from(owner, (unit) => BigInt(unit < 0 ? count : unit));
  return builder.op('Gather', [all, builder.constant(tensorOf('int64', [owner.length], ids))], { axis: 0 });
};

/** Masks of a part read in several places share their gates. */
const perBuilder = (make: (scope: MaskScope) => Value): ((scope: MaskScope) => Value) => {
  const made = new WeakMap<GraphBuilder, Value>();
  return (scope) => {
    const known = made.get(scope.builder) ?? make(scope);
    made.set(scope.builder, known);
    return known;
  };
};

/** Where the units of a part pass into the rest of the model, masked by its gates. */
export const gatedBy = (graph: Graph, part: Part, seed: number): readonly Gated[] => {
  const { group, count } = part;
  const places = group === undefined ? [] : gatesOf(graph, group);
  if (places.length === 0) throw stageError(`criterion l0: nothing passes through ${part.name} that gates could mask`);
  const gates = perBuilder((scope) => emitGates(scope, part, seed));
  return places.map((gate) => ({
    value: gate.value,
    mask: (scope) => {
      const rank = graph.types.get(gate.value)?.shape?.length ?? 0;
      const flat = spread(scope.builder, gates(scope), gate, count);
      const behind = Array.from({ length: rank - 1 - gate.axis }, () => 1);
      return behind.length === 0
        ? flat
        : scope.builder.op('Reshape', [flat, scope.builder.ints([gate.owner.length, ...behind])]);
    },
  }));
};
