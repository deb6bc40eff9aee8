import { type Graph, indexOf, type Node, type Value } from '../../graph/graph.ts';
import { sitesOf } from '../../graph/sites.ts';
import { elementCount, numbersOf, type Tensor } from '../../graph/tensor.ts';
import { directReadings, keepsNumbers, severalTablesOf, type Table, tablesOf } from './flow.ts';

/** The largest position that a sequence of n gets, as the number beside n: -1 where positions are counted from 0. */
type Beyond = number | undefined;

const singleOf = (graph: Graph, name: Value | null | undefined): number | undefined => {
  const tensor = name == null ? undefined : graph.weights.get(name);
  return tensor !== undefined && elementCount(tensor.dims) === 1 ? numbersOf(tensor)[0] : undefined;
};

const isInteger = ({ dtype }: Tensor): boolean => dtype === 'int64' || dtype === 'int32';

/** A stored row of positions, each one more than that before it. */
export const storedBeyond = (tensor: Tensor): Beyond => {
  if (!isInteger(tensor) || elementCount(tensor.dims) < 2) return undefined;
  const numbers = numbersOf(tensor);
  const [first = 0] = numbers;
  return numbers.every((number, i) => number === first + i) ? first - 1 : undefined;
};

const shifted = (graph: Graph, { inputs: [a, b] }: Node, sign: 1 | -1, depth: number): Beyond => {
  const [x, y] = [singleOf(graph, a), singleOf(graph, b)];
  if (y !== undefined) return plus(beyondOf(graph, a, depth), sign * y);
  return x === undefined || sign < 0 ? undefined : plus(beyondOf(graph, b, depth), x);
};

const plus = (beyond: Beyond, more: number): Beyond => (beyond === undefined ? undefined : beyond + more);

/** Positions times 0 or 1: padding has none of its own. */
const ofProduct = (graph: Graph, { inputs }: Node, depth: number): Beyond => {
  const known = inputs.map((input) => beyondOf(graph, input, depth)).filter((beyond) => beyond !== undefined);
  return known.length === 1 ? known[0] : undefined;
};

/** No graph makes positions in more steps. */
const DEEPEST = 24;

/** The largest position that a sequence of n gets where the graph counts them, as the number beside n; undefined where it does not. */
export const beyondOf = (graph: Graph, name: Value | null | undefined, depth = 0): Beyond => {
  if (name == null || depth > DEEPEST) return undefined;
  const stored = graph.weights.get(name);
  if (stored !== undefined) return storedBeyond(stored);
  const node = indexOf(graph).producer.get(name);
  if (node === undefined || node.domain !== '') return undefined;
  switch (node.op) {
    case 'Range':
      return (singleOf(graph, node.inputs[2]) ?? 1) === 1 ? (singleOf(graph, node.inputs[0]) ?? 0) - 1 : undefined;
    case 'CumSum':
      return 0;
    case 'Add':
      return shifted(graph, node, 1, depth + 1);
    case 'Sub':
      return shifted(graph, node, -1, depth + 1);
    case 'Mul':
      return ofProduct(graph, node, depth + 1);
    default:
      return keepsNumbers(graph, { node, position: 0, value: name })
        ? beyondOf(graph, node.inputs[0], depth + 1)
        : undefined;
  }
};

/** Tables that are looked up by positions which the graph counts itself: rows, and where it begins to count. */
const counted = (graph: Graph, given: ReadonlySet<Table['node']>): readonly number[] =>
  graph.nodes.flatMap((node) => {
    const [, index] = node.inputs;
    if (index == null || given.has(node)) return [];
    const tables = tablesOf(graph, [{ node, position: 1, value: index }]);
    const beyond = tables.length === 0 ? undefined : beyondOf(graph, index);
    return beyond === undefined ? [] : tables.map(({ rows }) => rows - 1 - beyond);
  });

/** Tables of which the first rows are taken, as many as there are positions. */
const sliced = (graph: Graph): readonly number[] =>
  sitesOf(graph).flatMap(({ weight, use, through }) => {
    const slice = use.kind === 'bias' || use.kind === 'table' ? through.find(({ op }) => op === 'Slice') : undefined;
    const [output] = slice?.outputs ?? [];
    if (output === undefined || slice?.inputs[0] !== weight) return [];
    const dims = graph.weights.get(weight)?.dims ?? [];
    const shape = graph.types.get(output)?.shape ?? [];
    return dims.filter((_, axis) => shape[axis] !== undefined && typeof shape[axis] !== 'number');
  });

/** The longest sequence that the tables of positions allow; undefined where there is none that ends. */
export const longestOf = (graph: Graph, positions: readonly Value[]): number | undefined => {
  const given = graph.inputs.map((name) => ({ name, tables: tablesOf(graph, directReadings(graph, name)) }));
  const nodes = new Set(given.flatMap(({ tables }) => tables.map(({ node }) => node)));
  const fed = given
    .filter(({ name }) => positions.includes(name))
    .flatMap(({ tables }) => tables.map(({ rows }) => rows));
  const inside = graph.nodes.flatMap((node) => severalTablesOf(graph, node)[1] ?? []);
  const all = [...fed, ...inside, ...counted(graph, nodes), ...sliced(graph)].filter((longest) => longest > 0);
  return all.length === 0 ? undefined : Math.min(...all);
};
