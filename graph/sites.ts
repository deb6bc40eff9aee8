import { type Graph, indexOf, type Node, type Value } from './graph.ts';
import type { Use } from './op.ts';
import { isCarrying, isFloating, longAxes } from './sites/content.ts';
import { type Found, Walk } from './sites/walk.ts';
import { elementCount } from './tensor.ts';

/** One place where a weight is used, and what for. Nothing is read off a name. */
export interface Site {
  readonly weight: Value;
  /** The node that uses it so. */
  readonly node: Node;
  /** In the axes of the weight itself. */
  readonly use: Use;
  /** What stands between the weight and the node: transpositions, slices; nothing where the node reads the weight itself. */
  readonly through: readonly Node[];
  /** The vector that is added to what a linear gives, where nothing else reads that. */
  readonly bias?: Value;
  /** Whether nothing but a bias, a norm or the choice between classes stands between a linear and a result of the graph. */
  readonly answers: boolean;
}

/** Functions that make shares of scores: a result of the graph behind them is still the scores' own. */
const choices: ReadonlySet<string> = new Set(['Softmax', 'LogSoftmax', 'Sigmoid']);

type At = (node: Node) => readonly Found[];

const isVector = (graph: Graph, weight: Value): boolean =>
  longAxes(graph.weights.get(weight)?.dims ?? [0, 0]).length <= 1;

/** The one user of a node's only result. */
const onlyUser = (graph: Graph, { outputs }: Node): Node | undefined => {
  const [output, ...more] = outputs;
  if (output === undefined || more.length > 0 || graph.outputs.includes(output)) return undefined;
  const users = indexOf(graph).users.get(output) ?? [];
  return users.length === 1 ? users[0] : undefined;
};

const biasAt = (graph: Graph, at: At, node: Node | undefined): Value | undefined =>
  node === undefined
    ? undefined
    : at(node).find(({ use, weight }) => use.kind === 'bias' && isVector(graph, weight))?.weight;

const biasOf = (graph: Graph, at: At, { node, use }: Found): Value | undefined => {
  if (use.kind !== 'linear') return undefined;
  const behind = onlyUser(graph, node);
  return biasAt(graph, at, node) ?? (behind?.inputs.length === 2 ? biasAt(graph, at, behind) : undefined);
};

const vectors: ReadonlySet<Use['kind']> = new Set<Use['kind']>(['bias', 'norm', 'scale']);

/** Whether a node only shifts, scales or chooses: every other input of it is a vector for that. */
const leadsOn = (at: At, node: Node, from: Value): boolean => {
  if (choices.has(node.op)) return true;
  const own = new Set(
    at(node)
      .filter(({ use }) => vectors.has(use.kind))
      .map(({ weight }) => weight),
  );
  const others = node.inputs.filter((input) => input !== null && input !== from);
  return others.length > 0 && others.every((input) => input !== null && own.has(input));
};

const reachesOutput = (graph: Graph, at: At, { outputs }: Node): boolean =>
  outputs.some(
    (output) =>
      graph.outputs.includes(output) ||
      (indexOf(graph).users.get(output) ?? []).some(
        (user) => leadsOn(at, user, output) && reachesOutput(graph, at, user),
      ),
  );

const completed = (graph: Graph, at: At, found: Found): Site => {
  const bias = biasOf(graph, at, found);
  const answers = found.use.kind === 'linear' && reachesOutput(graph, at, found.node);
  return { ...found, ...(bias === undefined ? {} : { bias }), answers };
};

const grouped = <K, T>(items: readonly T[], key: (item: T) => K): ReadonlyMap<K, readonly T[]> => {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
};

interface Sites {
  readonly all: readonly Site[];
  readonly byWeight: ReadonlyMap<Value, readonly Site[]>;
  readonly byNode: ReadonlyMap<Node, readonly Site[]>;
}

const cache = new WeakMap<Graph, Sites>();

const derived = (graph: Graph): Sites => {
  const known = cache.get(graph);
  if (known !== undefined) return known;
  const order = new Map(graph.nodes.map((node, i) => [node, i]));
  const place = ({ node }: Found): number => order.get(node) ?? 0;
  const found = new Walk(graph).run().toSorted((a, b) => place(a) - place(b) || a.use.input - b.use.input);
  const nodes = grouped(found, ({ node }) => node);
  const all = found.map((one) => completed(graph, (node) => nodes.get(node) ?? [], one));
  const sites = { all, byWeight: grouped(all, ({ weight }) => weight), byNode: grouped(all, ({ node }) => node) };
  cache.set(graph, sites);
  return sites;
};

/** Every use of every weight, in the order of the nodes: the one answer to what a weight is for. Derived once a graph. */
export const sitesOf = (graph: Graph): readonly Site[] => derived(graph).all;

/** The uses of one weight. */
export const sitesOfWeight = (graph: Graph, weight: Value): readonly Site[] =>
  derived(graph).byWeight.get(weight) ?? [];

/** The uses of weights at one node. */
export const sitesAt = (graph: Graph, node: Node): readonly Site[] => derived(graph).byNode.get(node) ?? [];

/** Whether a node reads the weight itself and looks up its rows by number: an embedding. */
export const looksUpRows = ({ use, node, through }: Site): boolean =>
  node.op === 'Gather' && use.kind === 'lookup' && use.axis === 0 && through.length === 0;

const isAlongRows = ({ attrs: { axis } }: Node): boolean =>
  axis === undefined || (axis.kind === 'int' && axis.value === 0);

/** The same of a table that was never learned, too. */
export const readsRows = (site: Site): boolean =>
  looksUpRows(site) ||
  (site.node.op === 'Gather' && site.use.kind === 'fixed' && site.through.length === 0 && isAlongRows(site.node));

/** What makes floats of a table in 8 bits. */
const scaling: ReadonlySet<string> = new Set(['Cast', 'DequantizeLinear', 'Mul', 'Sub']);

/** Rows of a table in 8 bits that is made floats before they are looked up: one that scores tokens, too. */
export const storedRows = (graph: Graph, { op, inputs: [table] }: Node): number | undefined => {
  if (op !== 'Gather') return undefined;
  let at = table;
  for (;;) {
    const node = at == null ? undefined : indexOf(graph).producer.get(at);
    if (node === undefined || !scaling.has(node.op)) break;
    at = node.inputs[0];
  }
  const tensor = at == null || at === table ? undefined : graph.weights.get(at);
  const inBytes = tensor?.dtype === 'int8' || tensor?.dtype === 'uint8';
  return inBytes && tensor.dims.length === 2 ? tensor.dims[0] : undefined;
};

type Linear = Extract<Use, { readonly kind: 'linear' }>;

/** A product of activations with a matrix that the node reads itself. */
export interface Product extends Site {
  readonly use: Linear;
}

const isProduct = (graph: Graph, site: Site): site is Product =>
  site.use.kind === 'linear' && site.through.length === 0 && graph.weights.get(site.weight)?.dims.length === 2;

/** The product that a node is; undefined where it is none. */
export const productAt = (graph: Graph, node: Node): Product | undefined =>
  sitesAt(graph, node).find((site): site is Product => isProduct(graph, site));

/** Whether a weight was learned, in whatever type it is kept: not axes, shapes, masks, angles, steps or the scale of attention. */
export const isLearned = (graph: Graph, weight: Value): boolean =>
  isCarrying(graph.weights.get(weight)?.dtype) && sitesOfWeight(graph, weight).some(({ use }) => use.kind !== 'fixed');

/** How many numbers a weight holds, where several may share an element of it. */
export const numbersIn = (graph: Graph, weight: Value): number =>
  sitesOfWeight(graph, weight).find(({ use }) => use.numbers !== undefined)?.use.numbers ??
  elementCount(graph.weights.get(weight)?.dims ?? []);

/** Whether training may move a weight: it was learned, and is kept in floating point. */
export const isParameter = (graph: Graph, weight: Value): boolean =>
  isFloating(graph.weights.get(weight)?.dtype) && isLearned(graph, weight);

/** Names of the parameters in the order in which the graph stores them. */
export const parameterNames = (graph: Graph): readonly Value[] =>
  [...graph.weights.keys()].filter((name) => isParameter(graph, name));
