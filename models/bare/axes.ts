import { deducedSizes } from '../../graph/deduced-sizes.ts';
import type { Dim } from '../../graph/dim.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import { sitesOfWeight } from '../../graph/sites.ts';
import { type FoundInput, kernelOf, widthOf } from './inputs.ts';
import type { BareAxis, BareAxisKind } from './roles.ts';

/** Inputs by what they are for. */
export type Found = ReadonlyMap<Value, FoundInput>;

const shapeOf = (graph: Graph, name: Value): readonly Dim[] => graph.types.get(name)?.shape ?? [];

const namesOf = (found: Found, role: FoundInput['role']): readonly Value[] =>
  [...found].flatMap(([name, one]) => (one.role === role ? [name] : []));

/** The sequence that an output is about: what its second axis is called. */
const answeredAxes = (graph: Graph): ReadonlySet<Dim> =>
  new Set(graph.outputs.flatMap((name) => (shapeOf(graph, name).length === 3 ? [shapeOf(graph, name)[1] ?? 0] : [])));

/**
 * Ids of what a decoder looks at, where there are two sequences: those of the other one give the length of the answer. Where
 * lengths have names that say nothing, those of the inputs do.
 */
const sourceIds = (graph: Graph, found: Found): ReadonlySet<Value> => {
  const ids = namesOf(found, 'tokens');
  if (ids.length < 2) return new Set();
  const answered = answeredAxes(graph);
  const lengths = ids.map((name) => answered.has(shapeOf(graph, name).at(-1) ?? 0));
  const told = lengths.includes(true) && lengths.includes(false);
  return new Set(ids.filter((name, i) => (told ? !lengths[i] : !/decoder/i.test(name))));
};

interface Sides {
  /** What is there besides the sequence itself: ids or states of an encoder. */
  readonly ids: ReadonlySet<Value>;
  readonly hasSource: boolean;
  readonly lengths: ReadonlySet<Dim>;
  readonly own: ReadonlySet<Dim>;
  readonly hasPast: boolean;
}

const sidesOf = (graph: Graph, found: Found): Sides => {
  const ids = sourceIds(graph, found);
  const tokens = namesOf(found, 'tokens');
  const states = tokens.length === 0 ? [] : namesOf(found, 'hidden');
  const length = (name: Value): Dim => shapeOf(graph, name)[1] ?? 0;
  return {
    ids,
    hasSource: ids.size + states.length > 0,
    lengths: new Set([...ids, ...states].map(length)),
    own: new Set(tokens.filter((name) => !ids.has(name)).map(length)),
    hasPast: namesOf(found, 'past').length > 0,
  };
};

/** Which positions a mask is about. */
const maskedAxis = (graph: Graph, name: Value, sides: Sides): BareAxisKind => {
  const own = sides.hasPast ? 'total' : 'sequence';
  if (!sides.hasSource) return own;
  const length = shapeOf(graph, name).at(-1) ?? 0;
  if (sides.lengths.has(length)) return 'source';
  if (sides.own.has(length) || /decoder/i.test(name)) return own;
  return sides.ids.size > 0 || /encoder/i.test(name) ? 'source' : own;
};

const ofMask = (graph: Graph, name: Value, sides: Sides): readonly BareAxisKind[] => {
  const last = maskedAxis(graph, name, sides);
  const rank = shapeOf(graph, name).length;
  if (rank === 2) return ['batch', last];
  return rank === 3 ? ['batch', 'sequence', last] : ['batch', 'width', 'sequence', last];
};

/** What is remembered grows along one axis, which the file leaves open; heads and widths are numbers. */
const ofPast = (shape: readonly Dim[], grows: boolean): readonly BareAxisKind[] => {
  const batch = shape.length - 4;
  const open = shape.flatMap((dim, axis) => (axis > batch && typeof dim !== 'number' ? [axis] : []));
  const usual = batch + 2;
  const along = open.length === 0 || open.includes(usual) ? usual : open[0];
  return shape.map((_, axis) => (axis === batch ? 'batch' : axis === along ? (grows ? 'past' : 'source') : 'width'));
};

const kindsOf = (
  graph: Graph,
  name: Value,
  found: FoundInput,
  sides: Sides,
  grows: ReadonlySet<Value>,
): readonly BareAxisKind[] => {
  const shape = shapeOf(graph, name);
  const along: BareAxisKind = sides.ids.has(name) ? 'source' : 'sequence';
  switch (found.role) {
    case 'tokens':
    case 'segments':
    case 'positions':
      return shape.map((_, axis) =>
        axis === shape.length - 1 ? along : axis === shape.length - 2 ? 'batch' : 'width',
      );
    case 'mask':
      return ofMask(graph, name, sides);
    case 'hidden':
      return ['batch', sides.own.size > 0 ? 'source' : 'sequence', 'width'];
    case 'past':
      return ofPast(shape, grows.has(name));
    case 'spare':
      return shape.length === 2
        ? ['batch', along]
        : shape.map((_, axis) => (axis === 0 && shape.length > 1 ? 'batch' : 'width'));
    default:
      return shape.map((_, axis) => (axis === 0 && shape.length > 1 ? 'batch' : 'width'));
  }
};

/** Patches of an image for which a model has positions: rows of tables, added or looked up, as wide as what the kernels give. */
const placesOf = (graph: Graph, name: Value): readonly number[] => {
  const width = kernelOf(graph, name)?.dims[0];
  const isLookedUp = (table: Value): boolean => sitesOfWeight(graph, table).some(({ use }) => use.kind === 'lookup');
  return [...graph.weights].flatMap(([table, { dims }]) => {
    const isTable = dims.length === 3 ? dims[0] === 1 : dims.length === 2 && isLookedUp(table);
    return isTable && dims.at(-1) === width ? [dims.at(-2) ?? 0] : [];
  });
};

/** A patch a position, and up to two positions more that are no patch. */
const sideOf = (places: readonly number[]): number | undefined => {
  const sides = places.flatMap((count) =>
    [1, 0, 2].map((more) => Math.sqrt(count - more)).filter((side) => Number.isInteger(side) && side > 1),
  );
  return sides[0];
};

const stridesOf = (graph: Graph, name: Value): readonly number[] => {
  const kernel = kernelOf(graph, name);
  const strides = kernel?.node.attrs.strides;
  return strides?.kind === 'ints' ? strides.value : (kernel?.dims.slice(2).map(() => 1) ?? []);
};

/** Images that nobody gave a size. */
const USUAL_PATCHES = 8;

const sizesOf = (graph: Graph, name: Value, { role }: FoundInput): readonly Dim[] => {
  const shape = shapeOf(graph, name);
  const width = widthOf(graph, name);
  if (role === 'hidden')
    return shape.map((dim, axis) => (axis === 2 && typeof dim !== 'number' ? (width ?? dim) : dim));
  if (role !== 'pixels' && role !== 'frames') return shape;
  const strides = stridesOf(graph, name);
  const side =
    role === 'pixels' ? (sideOf(placesOf(graph, name)) ?? USUAL_PATCHES) : (longestSound(graph, name) ?? USUAL_PATCHES);
  return shape.map((dim, axis) => {
    if (typeof dim === 'number' || axis === 0) return dim;
    return axis === 1 ? (width ?? dim) : side * (strides[axis - 2] ?? 1);
  });
};

/** Positions of a sound: rows of the table as wide as what the kernels give; each convolution behind the first may halve them. */
const longestSound = (graph: Graph, name: Value): number | undefined => {
  const kernel = kernelOf(graph, name);
  const width = kernel?.dims[0];
  const tables = [...graph.weights.values()].filter(
    ({ dims }) => dims.length === 2 && dims[1] === width && dims[0] !== width,
  );
  const kernels = graph.nodes.filter(({ op, attrs }) => op === kernel?.node.op && attrs.strides?.kind === 'ints');
  const strides = kernels.map(({ attrs: { strides } }) => (strides?.kind === 'ints' ? (strides.value[0] ?? 1) : 1));
  const rows = tables.map(({ dims }) => dims[0] ?? 0).toSorted((a, b) => b - a)[0];
  return rows === undefined ? undefined : rows * strides.reduce((product, stride) => product * stride, 1);
};

/** What each axis of each input counts. */
export const axesOfInputs = (
  graph: Graph,
  found: Found,
  grows: ReadonlySet<Value>,
): ReadonlyMap<Value, readonly BareAxis[]> => {
  const sides = sidesOf(graph, found);
  const deduced = deducedSizes(graph);
  const known = (size: Dim): Dim => (typeof size === 'number' ? size : (deduced[size] ?? size));
  return new Map(
    [...found].map(([name, one]) => {
      const kinds = kindsOf(graph, name, one, sides, grows);
      return [
        name,
        sizesOf(graph, name, one).map((size, axis) => ({ kind: kinds[axis] ?? 'width', size: known(size) })),
      ];
    }),
  );
};
