import { GraphBuilder } from '../builder.ts';
import { symbol } from '../dim.ts';
import { capturedBy, type Graph, type Value } from '../graph.ts';
import { isParameter, looksUpRows, sitesOfWeight } from '../sites.ts';
import { elementCount, type Tensor, vector } from '../tensor.ts';
import { namesBeside } from './bodies.ts';
import { contentOf, isSame, isTurned } from './content.ts';
import { ownersOf } from './owners.ts';
import type { Pass } from './pass.ts';

/** Smaller ones may be equal by chance, or because nothing was trained yet. */
const LEAST = 64;

/** What stands for a weight: another that holds the same, or the same turned over. */
interface Stand {
  readonly weight: Value;
  readonly turned: boolean;
}

type Stands = Map<Value, Stand>;

interface Candidate {
  readonly name: Value;
  readonly tensor: Tensor;
}

/** Weights that others may stand for: learned, in floats, and read by nodes of the graph alone. */
const candidatesIn = (graph: Graph): readonly Candidate[] => {
  const bound = new Set([...graph.outputs, ...graph.nodes.flatMap(capturedBy)]);
  return [...graph.weights].flatMap(([name, tensor]) =>
    tensor.dtype === 'float32' && !bound.has(name) && isParameter(graph, name) ? [{ name, tensor }] : [],
  );
};

const grouped = <T>(items: readonly T[], key: (item: T) => string): readonly (readonly T[])[] => {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return [...groups.values()].filter(({ length }) => length > 1);
};

/** Tables first: what is looked up keeps its name and its rows. */
const tablesFirst = (graph: Graph, candidates: readonly Candidate[]): readonly Candidate[] => {
  const isTable = ({ name }: Candidate): boolean => sitesOfWeight(graph, name).some(looksUpRows);
  return [...candidates.filter(isTable), ...candidates.filter((one) => !isTable(one))];
};

/** Equal ones of a group stand for one another, each for all that come after it. */
const pair = (
  group: readonly Candidate[],
  stands: Stands,
  isOne: (a: Candidate, b: Candidate) => boolean | 'turned',
) => {
  const kept: Candidate[] = [];
  for (const one of group) {
    const found = kept.map((other) => [other, isOne(other, one)] as const).find(([, same]) => same !== false);
    if (found === undefined) kept.push(one);
    else stands.set(one.name, { weight: found[0].name, turned: found[1] === 'turned' });
  }
};

const sameMatrix = ({ tensor: a }: Candidate, { tensor: b }: Candidate): boolean | 'turned' =>
  isSame(a, b) || (isTurned(a, b) && 'turned');

/** Matrices of the same numbers, also turned over. Those of one number alone are new, and each will be learned apart. */
const tieMatrices = (graph: Graph, candidates: readonly Candidate[], stands: Stands): void => {
  const matrices = candidates.filter(({ tensor: { dims } }) => dims.length === 2 && elementCount(dims) >= LEAST);
  for (const sized of grouped(matrices, ({ tensor: { dims } }) => dims.toSorted((a, b) => a - b).join())) {
    const learned = sized.filter(({ tensor }) => !contentOf(tensor).uniform);
    for (const equal of grouped(learned, ({ tensor }) => contentOf(tensor).key)) {
      pair(tablesFirst(graph, equal), stands, sameMatrix);
    }
  }
};

/** Vectors of the same numbers that belong to matrices that are one. */
const tieVectors = (graph: Graph, candidates: readonly Candidate[], stands: Stands): void => {
  const owners = ({ name }: Candidate): string => {
    const all = sitesOfWeight(graph, name).flatMap((site) => ownersOf(graph, site));
    return [...new Set(all.map((owner) => stands.get(owner)?.weight ?? owner))].toSorted().join('\n');
  };
  const tied = new Set([...stands.values()].map(({ weight }) => weight));
  const kinds = ({ name }: Candidate): string =>
    sitesOfWeight(graph, name).map(({ use, node }) => `${use.kind} ${node.op}`)[0] ?? '';
  const vectors = candidates.filter(({ tensor: { dims } }) => dims.length === 1 && elementCount(dims) > 1);
  const owned = vectors
    .map((one) => ({ ...one, owners: owners(one), kind: kinds(one) }))
    .filter(({ owners: names }) => names.split('\n').some((name) => tied.has(name as Value)));
  for (const group of grouped(owned, (one) => `${one.tensor.dims} ${one.kind}\n${one.owners}`)) {
    pair(group, stands, ({ tensor: a }, { tensor: b }) => isSame(a, b));
  }
};

/** The graph in which the nodes read what stands for their weights. */
const applied = (graph: Graph, stands: Stands): Graph => {
  const fresh = namesBeside(graph);
  const builder = GraphBuilder.like(graph, {
    weights: new Map([...graph.weights].filter(([name]) => !stands.has(name))),
  });
  const turned = new Map<Value, Value>();
  const read = (name: Value | null): Value | null => {
    const stand = name === null ? undefined : stands.get(name);
    if (stand === undefined) return name;
    if (!stand.turned) return stand.weight;
    const known = turned.get(stand.weight);
    const turn = known ?? builder.op('Transpose', [stand.weight], { perm: [1, 0] }, fresh(`${stand.weight}/turned`));
    turned.set(stand.weight, turn);
    return turn;
  };
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(read);
    builder.add({ ...node, inputs }, (name) => graph.types.get(name));
  }
  return builder.freeze(graph.outputs);
};

const run = (graph: Graph): Graph => {
  const candidates = candidatesIn(graph);
  const stands: Stands = new Map();
  tieMatrices(graph, candidates, stands);
  if (stands.size > 0) tieVectors(graph, candidates, stands);
  return stands.size === 0 ? graph : applied(graph, stands);
};

const waves = (seed: number, ...dims: readonly number[]): Tensor =>
  vector(
    'float32',
    Array.from({ length: elementCount(dims) }, (_, i) => Math.sin(seed + i)),
    dims,
  );

const turnedOver = (tensor: Tensor): Tensor => {
  const [rows = 0, columns = 0] = tensor.dims;
  const numbers = new Float32Array(tensor.bytes.read().buffer);
  const turned = Array.from(
    { length: rows * columns },
    (_, i) => numbers[(i % rows) * columns + Math.floor(i / rows)] ?? 0,
  );
  return vector('float32', turned, [columns, rows]);
};

const speaking = (output: (table: Tensor) => Tensor): Graph => {
  const builder = new GraphBuilder('speaking');
  const ids = builder.input('ids', 'int64', [symbol('batch'), symbol('sequence')]);
  const table = waves(1, 10, 8);
  const h = builder.op('Tanh', [builder.op('Gather', [builder.weight('table', table), ids])]);
  return builder.freeze([builder.op('MatMul', [h, builder.weight('output', output(table))], {}, 'y')]);
};

/** Two layers, each with a matrix, a bias and a norm of its own. */
const repeating = (second: (matrix: Tensor) => Tensor, bias: (layer: number) => Tensor): Graph => {
  const builder = new GraphBuilder('repeating');
  let h = builder.input('x', 'float32', [symbol('batch'), 8]);
  const first = waves(2, 8, 8);
  for (const layer of [0, 1]) {
    const w = builder.weight(`w.${layer}`, layer === 0 ? first : second(first));
    const sum = builder.op('Add', [builder.op('MatMul', [h, w]), builder.weight(`b.${layer}`, bias(layer))]);
    const ones = builder.weight(`norm.${layer}`, vector('float32', new Array<number>(8).fill(1)));
    h = builder.op('LayerNormalization', [builder.op('Relu', [sum]), ones]);
  }
  return builder.freeze([builder.op('Neg', [h], {}, 'y')]);
};

const zeros = (...dims: readonly number[]): Tensor =>
  vector('float32', new Array<number>(elementCount(dims)).fill(0), dims);

/** Weights of the same numbers, also turned over, are one weight: trained apart, they would drift. */
export const tie: Pass = {
  name: 'tie',
  run,
  changes: [
    { name: 'an output matrix that is the table turned over', graph: () => speaking(turnedOver) },
    {
      name: 'a matrix twice, with its bias',
      graph: () =>
        repeating(
          (matrix) => waves(2, ...matrix.dims),
          () => waves(3, 8),
        ),
    },
    {
      name: 'a matrix twice, with two biases',
      graph: () =>
        repeating(
          (matrix) => waves(2, ...matrix.dims),
          (i) => waves(i, 8),
        ),
    },
  ],
  leaves: [
    { name: 'an output matrix of its own', graph: () => speaking(() => waves(5, 8, 10)) },
    {
      name: 'two matrices with equal biases',
      graph: () =>
        repeating(
          (matrix) => waves(7, ...matrix.dims),
          () => waves(3, 8),
        ),
    },
    {
      name: 'two matrices of zeros',
      graph: () =>
        repeating(
          () => zeros(8, 8),
          () => zeros(8),
        ),
    },
  ],
};
