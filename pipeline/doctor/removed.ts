import { stream } from '../../data/random.ts';
import type { Feeds, HostTensor } from '../../engine/engine.ts';
import { sliceTensor } from '../../graph/cut/slice.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import { type ArrayOf, arrayOf, bytesOf, type DType } from '../../graph/tensor.ts';
import { withoutUnits } from '../../models/anatomy/removal.ts';
import { goneUnits, namedCount, partsIn, type UnitKind, type Units } from '../../models/anatomy/units.ts';
import { shared } from '../../models/anatomy/unshare.ts';
import type { Part } from '../../models/anatomy.ts';
import { gatesOf } from '../../stages/prune/gates.ts';
import { unitsByLayer } from '../../stages/prune/named-units.ts';
import { atMost, type Finding } from './check.ts';
import { differenceOf } from './compared.ts';
import { headsZeroed, type Inserted, joinedHeadsZeroed, withInserted, zeroed } from './masked.ts';
import { type Apart, answersOf, type Patient, THIRD } from './patient.ts';

/** What goes of one part, by the names of its units. */
export type Gone = ReadonlyMap<Part, ReadonlySet<number>>;

/** So many of some numbers, drawn by a seed. */
export const drawn = (purpose: string, count: number, of: number): readonly number[] => {
  const random = stream(17, 'doctor', purpose);
  const left = Array.from({ length: of }, (_, i) => i);
  return Array.from({ length: count }, () => left.splice(random.integer(left.length), 1)[0] ?? 0);
};

/** What is drawn of each part of every layer, and the units that this comes to. */
export const drawUnits = ({ anatomy }: Apart, kinds: readonly UnitKind[], pick: (part: Part) => readonly number[]) => {
  const gone = new Map<Part, ReadonlySet<number>>();
  const layers = anatomy.layers.map(({ index }) => index);
  const named = Object.fromEntries(
    kinds.map((kind) => {
      for (const part of layers.flatMap((layer) => partsIn(anatomy, layer, kind)))
        if (!gone.has(part)) gone.set(part, new Set(pick(part)));
      return [kind, unitsByLayer(anatomy, kind, layers, (part) => [...(gone.get(part) ?? [])])];
    }),
  );
  return { gone, units: { heads: {}, crossHeads: {}, ffn: {}, layers: [], ...named } satisfies Units };
};

/** Where attention mixed values by head; undefined where its heads do not show there. */
const headMask = ({ view }: Apart, part: Part, gone: ReadonlySet<number>): readonly [Value, Inserted] | undefined => {
  const [mixed] = part.attention?.mixing.outputs ?? [];
  const shape = mixed === undefined ? [] : (view.types.get(mixed)?.shape ?? []).map(Number);
  const count = namedCount(part);
  const dims = shape.slice(1, -2);
  if (mixed === undefined || part.layers.length > 1) return undefined;
  if (dims.length > 0 && dims.reduce((a, b) => a * b, 1) === count) return [mixed, headsZeroed(dims, gone)];
  const joined = dims.length === 0 && (shape[0] ?? 1) % count === 0;
  return joined ? [mixed, joinedHeadsZeroed(count, gone)] : undefined;
};

/** Where activations meet the weights behind them for the last time. */
const gateMasks = ({ view }: Apart, part: Part, gone: ReadonlySet<number>): readonly (readonly [Value, Inserted])[] => {
  const units = goneUnits(part, gone);
  const gates = part.group === undefined ? [] : gatesOf(view, part.group);
  return gates.map(({ value, axis, owner }) => {
    const indices = new Set(Array.from(owner.keys()).filter((i) => units.has(owner[i] ?? -1)));
    return [value, zeroed(view.types.get(value)?.shape?.length ?? 0, axis, owner.length, indices)];
  });
};

/** The same model with units that still compute, and of which nobody reads anything but zeros. */
export const maskedGraph = (apart: Apart, gone: Gone): Graph => {
  const masks = [...gone].flatMap(([part, numbers]) => {
    const atHeads = part.kind === 'heads' ? headMask(apart, part, numbers) : undefined;
    return atHeads === undefined ? gateMasks(apart, part, numbers) : [atHeads];
  });
  return withInserted(apart.graph, new Map(masks));
};

/** Indices that stay of inputs and outputs: states lose heads with what they remember. */
type Stays = ReadonlyMap<string, ReadonlyMap<number, Int32Array>>;

const staysOf = ({ graph }: Apart, gone: Gone): Stays => {
  const ports = new Set<Value>([...graph.inputs, ...graph.outputs]);
  const stays = new Map<string, Map<number, Int32Array>>();
  for (const [part, numbers] of gone) {
    const units = goneUnits(part, numbers);
    for (const { value, axis, owner } of part.group?.axes ?? []) {
      if (!ports.has(value)) continue;
      const kept = Array.from(owner.keys()).filter((i) => !units.has(owner[i] ?? -1));
      stays.set(value, (stays.get(value) ?? new Map()).set(axis, Int32Array.from(kept)));
    }
  }
  return stays;
};

const sliced = (tensor: HostTensor, axes: ReadonlyMap<number, Int32Array>): HostTensor => {
  const { dtype, dims, data } = tensor;
  const small = sliceTensor(
    { dtype, dims, bytes: bytesOf(data) },
    dims.map((_, axis) => axes.get(axis)),
  );
  const array: ArrayOf<DType> = arrayOf(small);
  return { dtype, dims: small.dims, data: array };
};

const withoutGone = (tensors: Feeds, stays: Stays): Feeds =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => {
      const axes = stays.get(name);
      return [name, axes === undefined ? tensor : sliced(tensor, axes)];
    }),
  );

const LIMIT = 1e-4;

/** Holds a graph without units against the same model that computes them in vain, at two shapes. */
export const heldAgainst = async (
  patient: Patient,
  called: string,
  units: Units,
  masked: Graph,
  gone: Gone,
  why: string,
): Promise<Finding> => {
  const apart = patient.apart();
  const cut = shared(withoutUnits(apart.graph, units));
  await patient.keep(called, cut);
  const feeds = (await patient.tried()).feeds.slice(0, THIRD);
  const stays = staysOf(apart, gone);
  const expected = await answersOf(masked, feeds, patient.threads);
  const less = feeds.map((one) => withoutGone(one, stays));
  const found = await answersOf(cut, less, patient.threads);
  const differences = expected.map((one, i) => differenceOf(found[i] ?? {}, withoutGone(one, stays), 'relative'));
  return atMost(Math.max(...differences), LIMIT, why);
};
