import type { Gated, MaskScope } from '../../../engine/gated.ts';
import type { GraphBuilder } from '../../../graph/builder.ts';
import type { Graph, Value } from '../../../graph/graph.ts';
import { tensorOf } from '../../../graph/tensor.ts';
import { stageError } from '../../../ground/errors.ts';
import type { Part } from '../../../models/anatomy.ts';
import { type Gate, gatesOf } from '../gates.ts';
import { gatesFor } from './gates.ts';

/** Whether each unit owns the next `width` indices. */
const isEven = (owner: Int32Array, width: number): boolean => owner.every((unit, i) => unit === Math.floor(i / width));

/** A number a unit as a number an index: (indices). */
export const spread = (builder: GraphBuilder, gates: Value, { owner }: Pick<Gate, 'owner'>, count: number): Value => {
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

/** What the gates of units say of each index of an axis, in a shape that spreads over the value. */
export const maskOver = (
  graph: Graph,
  gate: Gate,
  count: number,
  gates: ReturnType<typeof gatesFor>,
  scope: MaskScope,
): Value => {
  const { builder } = scope;
  const flat = spread(builder, gates(scope), gate, count);
  const rank = graph.types.get(gate.value)?.shape?.length ?? 0;
  const behind = Array.from({ length: rank - 1 - gate.axis }, () => 1);
  return behind.length === 0 ? flat : builder.op('Reshape', [flat, builder.ints([gate.owner.length, ...behind])]);
};

/** An activation multiplied by that. */
export const maskedAt = (graph: Graph, gate: Gate, count: number, gates: ReturnType<typeof gatesFor>): Gated => ({
  value: gate.value,
  instead: (x, scope) => scope.builder.op('Mul', [x, maskOver(graph, gate, count, gates, scope)]),
});

/** Where heads or neurons pass into the rest of the model, masked by their gates. */
export const unitGates = (graph: Graph, part: Part, seed: number): readonly Gated[] => {
  const { group, count } = part;
  const places = group === undefined ? [] : gatesOf(graph, group);
  if (places.length === 0) throw stageError(`criterion l0: nothing passes through ${part.name} that gates could mask`);
  const gates = gatesFor(part, seed);
  return places.map((gate) => maskedAt(graph, gate, count, gates));
};
