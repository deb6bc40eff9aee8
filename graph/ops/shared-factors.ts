import type { Shape } from '../dim.ts';
import type { Value } from '../graph.ts';
import type { CutEffect, Refusal } from '../op.ts';
import { cutsOf, factorGroups, nothing, refuse } from './shared-cuts.ts';
import { isNumeric, stridesOf } from './shared-structure.ts';

/** Where index i of `axis` occurs: the flat positions in a block of these dimensions, index by index. */
const indexOfFlat = (dims: readonly number[], axis: number): ((flat: number) => number) => {
  const stride = stridesOf(dims)[axis] ?? 1;
  const size = dims[axis] ?? 1;
  return (flat) => Math.floor(flat / stride) % size;
};

/** The owner of each index of an axis if all flat positions that share the index agree, else undefined. */
const uniformOwner = (flat: Int32Array, dims: readonly number[], axis: number): Int32Array | undefined => {
  const at = indexOfFlat(dims, axis);
  const owner = new Int32Array(dims[axis] ?? 1).fill(-2);
  for (let i = 0; i < flat.length; i++) {
    const index = at(i);
    const unit = flat[i] ?? -1;
    if (owner[index] === -2) owner[index] = unit;
    else if (owner[index] !== unit) return undefined;
  }
  return owner;
};

interface Blocks {
  readonly owner: Int32Array;
  readonly merges: readonly (readonly [number, number])[];
}

/** Whole blocks along an axis: the units inside one block are merged, and with what stays (-1) where it holds such a part. */
const mergedOwner = (flat: Int32Array, dims: readonly number[], axis: number): Blocks => {
  const at = indexOfFlat(dims, axis);
  const owner = new Int32Array(dims[axis] ?? 1).fill(-2);
  const merges = new Map<string, readonly [number, number]>();
  for (let i = 0; i < flat.length; i++) {
    const index = at(i);
    const unit = flat[i] ?? -1;
    const first = owner[index] ?? -2;
    if (first === -2) owner[index] = unit;
    else if (first !== unit) merges.set(`${first} ${unit}`, [first, unit]);
  }
  return { owner, merges: [...merges.values()] };
};

/** How many units are left once the merges are made. */
const unitsLeft = ({ owner, merges }: Blocks): number => {
  const into = new Map<number, number>();
  const root = (unit: number): number => {
    const next = into.get(unit);
    return next === undefined ? unit : root(next);
  };
  for (const [a, b] of merges) if (root(a) !== root(b)) into.set(root(a), root(b));
  return new Set(Array.from(owner, root)).size;
};

/** Blocks along the outermost factor that leaves something to choose, or else along the outermost. */
const outermostBlocks = (flat: Int32Array, dims: readonly number[]): Blocks & { readonly axis: number } => {
  const wide = dims.flatMap((size, axis) => (size > 1 ? [axis] : []));
  const candidates = (wide.length === 0 ? [0] : wide).map((axis) => ({ axis, ...mergedOwner(flat, dims, axis) }));
  const [first] = candidates;
  if (first === undefined) throw new Error('a shape without dimensions has no blocks');
  return candidates.find((blocks) => unitsLeft(blocks) > 1) ?? first;
};

/**
 * A cut carried from one shape to another with the same elements in the same order. (H*D) to (H, D) cuts whole blocks
 * of the outermost factor and merges the units inside each, unless the owners already repeat along another factor
 * (then that factor is the one that is cut); (H, D) to (H*D) repeats the owners. It is its own inverse.
 */
export const carryThroughReshape = (
  from: Shape,
  axis: number,
  owner: Int32Array,
  target: { readonly value: Value; readonly shape: Shape },
): CutEffect | Refusal => {
  const group = factorGroups(from, target.shape).find((g) => g.from.includes(axis));
  if (group === undefined) return refuse(`loses axis ${axis}: the shapes share no factor there`);
  const inner: Shape = group.from.map((i) => from[i] ?? 1);
  const outer: Shape = group.to.map((i) => target.shape[i] ?? 1);
  if (!isNumeric(inner) || !isNumeric(outer)) {
    return refuse(
      `mixes axis ${axis} with a symbolic dimension ([${from.join(', ')}] to [${target.shape.join(', ')}])`,
    );
  }
  const at = indexOfFlat(inner, group.from.indexOf(axis));
  const flat = Int32Array.from({ length: inner.reduce((a, b) => a * b, 1) }, (_, i) => owner[at(i)] ?? -1);
  if (flat.every((unit) => unit < 0)) return nothing;
  for (const [k, to] of group.to.entries()) {
    const uniform = (outer[k] ?? 1) > 1 || outer.length === 1 ? uniformOwner(flat, outer, k) : undefined;
    if (uniform !== undefined) return { cuts: cutsOf(target.value, to, uniform) };
  }
  const blocks = outermostBlocks(flat, outer);
  return { cuts: cutsOf(target.value, group.to[blocks.axis] ?? 0, blocks.owner), merges: blocks.merges };
};
