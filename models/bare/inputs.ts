import type { Graph, Value } from '../../graph/graph.ts';
import { isFloating } from '../../graph/sites/content.ts';
import { type Site, sitesAt } from '../../graph/sites.ts';
import { elementCount, numbersOf } from '../../graph/tensor.ts';
import { contentReadings, directReadings, isSize, type Reading, readingsOf, tablesOf } from './flow.ts';
import type { BareInput, BareRole } from './roles.ts';

/** What is known of an input before its axes are. */
export type FoundInput = Omit<BareInput, 'axes' | 'dtype' | 'name'>;

const shapeOf = (graph: Graph, name: Value) => graph.types.get(name)?.shape ?? [];

const isLinear = ({ use }: Site): boolean => use.kind === 'linear';

/** The first matrices and kernels that what goes in is multiplied with. */
const firstProducts = (graph: Graph, input: Value): readonly Site[] => {
  const productsAt = ({ node, value }: Reading): readonly Site[] =>
    sitesAt(graph, node).filter((site) => isLinear(site) && site.weight !== value);
  return readingsOf(graph, input, (at) => !isSize(at) && productsAt(at).length === 0).flatMap(productsAt);
};

const rankOfKernel = (graph: Graph, { weight }: Site): number => graph.weights.get(weight)?.dims.length ?? 0;

/** Axes of the first kernel that an input meets: four cover an image, three a sequence, two are a plain matrix. */
const kernelRank = (graph: Graph, input: Value): number => {
  const [first] = firstProducts(graph, input);
  return first === undefined ? 0 : rankOfKernel(graph, first);
};

/** Whether an input of four axes is an image: kernels are moved over it. */
export const isImage = (graph: Graph, input: Value): boolean => kernelRank(graph, input) === 4;

/** What makes angles of positions. */
const turning: ReadonlySet<string> = new Set(['Cos', 'RotaryEmbedding', 'Sin']);

/** What counts, compares or chooses: behind it stands no position any more. */
const deciding: ReadonlySet<string> = new Set(
  'And CumSum Equal Greater GreaterOrEqual Less LessOrEqual Not Or ReduceSum Softmax'.split(' '),
);

const becomesAngle = (graph: Graph, input: Value): boolean => {
  const goesOn = (at: Reading): boolean =>
    !isSize(at) && !deciding.has(at.node.op) && !turning.has(at.node.op) && tablesOf(graph, [at]).length === 0;
  return readingsOf(graph, input, goesOn).some(
    ({ node, value }) => turning.has(node.op) && node.inputs.includes(value),
  );
};

/** Whether a result depends on what an input holds, and not only on how large it is. */
const counts = (graph: Graph, input: Value): boolean =>
  graph.outputs.includes(input) ||
  contentReadings(graph, input).some(
    (at) => !isSize(at) && at.node.outputs.some((output) => graph.outputs.includes(output)),
  );

const comparing: ReadonlySet<string> = new Set(['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual']);

/** Single numbers that the graph compares ids with, negative ones left out. */
const comparedWith = (graph: Graph, readings: readonly Reading[]): readonly number[] => {
  const numbers = readings
    .filter(({ node }) => comparing.has(node.op))
    .flatMap(({ node, position }) => {
      const other = node.inputs[1 - position];
      const tensor = other == null ? undefined : graph.weights.get(other);
      return tensor !== undefined && elementCount(tensor.dims) === 1 ? numbersOf(tensor) : [];
    });
  return [...new Set(numbers)].filter((number) => number >= 0).sort((a, b) => a - b);
};

/** What of several inputs that look up learned rows each is said to be: names only choose where rows leave it open. */
const hintOf = (name: string): BareRole | undefined => {
  if (/pos/i.test(name)) return 'positions';
  return /type|segment/i.test(name) ? 'segments' : undefined;
};

/** More types of tokens no model has. */
const MOST_TYPES = 16;

interface Looker {
  readonly name: Value;
  readonly rows: number;
}

/**
 * Who looks up learned rows: tokens have the most; of two texts there are few; positions stand between. A tiny vocabulary can
 * have fewer rows than there are positions: then the name tells.
 */
const lookerRoles = (lookers: readonly Looker[]): ReadonlyMap<Value, BareRole> => {
  const plain = lookers.filter(({ name }) => hintOf(name) === undefined);
  const most = Math.max(0, ...(plain.length === 0 ? lookers : plain).map(({ rows }) => rows));
  return new Map(
    lookers.map(({ name, rows }) => {
      const hint = hintOf(name);
      if (rows === most && (hint === undefined || plain.length === 0)) return [name, 'tokens'];
      return [name, hint ?? (rows <= MOST_TYPES ? 'segments' : 'positions')];
    }),
  );
};

const lookersOf = (graph: Graph): readonly Looker[] =>
  graph.inputs.flatMap((name) => {
    const rows = tablesOf(graph, directReadings(graph, name)).filter(({ learned }) => learned);
    return rows.length === 0 ? [] : [{ name, rows: Math.min(...rows.map((table) => table.rows)) }];
  });

const wholeInput = (graph: Graph, name: Value, roles: ReadonlyMap<Value, BareRole>): FoundInput => {
  const readings = directReadings(graph, name);
  const tables = tablesOf(graph, readings);
  const end = tables.length === 0 ? {} : { end: Math.min(...tables.map(({ rows }) => rows)) };
  const role = roles.get(name);
  if (role === 'tokens') {
    const compared = comparedWith(graph, readings);
    return { role, ...end, ...(compared.length === 0 ? {} : { compared }) };
  }
  if (role !== undefined) return { role, ...end };
  if (tables.length > 0 || becomesAngle(graph, name)) return { role: 'positions', ...end };
  return { role: otherRole(graph, name) };
};

/** What integers and truth values are that look up nothing. */
const otherRole = (graph: Graph, name: Value): BareRole => {
  const shape = shapeOf(graph, name);
  const isOne = shape.every((dim) => dim === 1) && shape.length < 2;
  if (isOne && graph.types.get(name)?.dtype === 'bool') return 'flag';
  if (isOne || !counts(graph, name)) return 'spare';
  return shape.length === 1 ? 'positions' : 'mask';
};

/** Whether numbers are added to others as they are. */
const isAdded = (graph: Graph, name: Value): boolean =>
  directReadings(graph, name).some(({ node }) => node.op === 'Add' && node.domain === '');

const floatInput = (graph: Graph, name: Value, pasts: ReadonlySet<Value>): FoundInput => {
  const shape = shapeOf(graph, name);
  const rank = kernelRank(graph, name);
  if (pasts.has(name)) return { role: 'past' };
  if (!counts(graph, name) || shape.length < 2) return { role: 'spare' };
  if (shape.length === 4 && rank === 4) return { role: 'pixels' };
  if (shape.length === 3 && rank === 3) return { role: 'frames' };
  if (shape.length === 3 && isWide(graph, name)) return { role: 'hidden' };
  return isAdded(graph, name) ? { role: 'mask', added: true } : { role: 'mask' };
};

/** Whether the last axis of an input holds numbers side by side: it has a size, or a matrix or a norm reads it. */
const isWide = (graph: Graph, name: Value): boolean => {
  if (typeof shapeOf(graph, name).at(-1) === 'number') return true;
  return directReadings(graph, name).some(({ node }) =>
    sitesAt(graph, node).some(({ use }) => use.kind === 'linear' || use.kind === 'norm'),
  );
};

/** What each input is for, but for its axes. */
export const foundInputs = (graph: Graph, pasts: ReadonlySet<Value>): ReadonlyMap<Value, FoundInput> => {
  const roles = lookerRoles(lookersOf(graph));
  return new Map(
    graph.inputs.map((name) => [
      name,
      isFloating(graph.types.get(name)?.dtype) ? floatInput(graph, name, pasts) : wholeInput(graph, name, roles),
    ]),
  );
};

/** The size that the width of an input has, by what it is multiplied with. */
export const widthOf = (graph: Graph, name: Value): number | undefined => {
  const [first] = firstProducts(graph, name);
  if (first === undefined || first.use.kind !== 'linear') return undefined;
  const inner = graph.weights.get(first.weight)?.dims[first.use.inner];
  const group = first.node.attrs.group;
  return inner === undefined ? undefined : inner * (group?.kind === 'int' ? group.value : 1);
};

/** The node and the dimensions of the first kernel that an input meets. */
export const kernelOf = (graph: Graph, name: Value) => {
  const [first] = firstProducts(graph, name);
  if (first === undefined) return undefined;
  return { node: first.node, dims: graph.weights.get(first.weight)?.dims ?? [] };
};
