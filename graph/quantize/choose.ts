import { type Graph, indexOf, type Node, type Value } from '../graph.ts';
import { elementCount, type Tensor } from '../tensor.ts';
import { minimumMatrix, minimumRows, minimumStored } from './thresholds.ts';
import { quantizeError } from './weights.ts';

export interface QuantizeOptions {
  /** Whether embedding tables become 8-bit rows, too (the default): most of the bytes of small models. */
  readonly embeddings?: boolean;
  /** 7-bit weights, for CPUs whose 8-bit products saturate (x86 before VNNI). */
  readonly reduceRange?: boolean;
  /** Names of weights that stay in float; `*` stands for any text. */
  readonly exclude?: readonly string[];
  /** Matrices with fewer elements stay in float: they gain no time. */
  readonly minimumElements?: number;
  /** Tables with fewer elements are 8 bits in the file only: a quantized look-up takes kernels of its own. */
  readonly minimumTable?: number;
}

/**
 * What happens to a weight: the form it is quantized in, or why it stays. `linear` multiplies in 8 bits, `table` looks up
 * 8-bit rows, `stored` is 8 bits in the file only: a session makes a float constant of it when it loads the model.
 */
export type Choice = { readonly form: 'linear' | 'table' | 'stored' } | { readonly kept: string };

/** A packed weight `self.query+key+value.weight` also goes by the names it was packed from. */
const namesOf = (name: string): readonly string[] => {
  const [, head = '', middle, tail = ''] = /^(.*\.)?([^.]*\+[^.]*)(\..*)?$/.exec(name) ?? [];
  return middle === undefined ? [name] : [name, ...middle.split('+').map((part) => `${head}${part}${tail}`)];
};

const glob = (pattern: string): RegExp =>
  new RegExp(`^${pattern.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);

/** Tells whether a name is excluded; refuses exclusions that name no weight. */
const exclusion = (graph: Graph, patterns: readonly string[]): ((name: string) => boolean) => {
  const known = [...graph.weights.keys()].flatMap(namesOf);
  const tests = patterns.map((pattern) => {
    const test = glob(pattern);
    if (!known.some((name) => test.test(name))) {
      const matrices = [...graph.weights].filter(([, { dims }]) => dims.length === 2).map(([name]) => name);
      throw quantizeError(`exclude: '${pattern}' names no weight; the matrices are ${matrices.join(', ')}`);
    }
    return test;
  });
  return (name) => namesOf(name).some((candidate) => tests.some((test) => test.test(candidate)));
};

const isOne = (node: Node, name: string): boolean => {
  const attribute = node.attrs[name];
  return attribute === undefined || ((attribute.kind === 'float' || attribute.kind === 'int') && attribute.value === 1);
};

const isZero = (node: Node, name: string): boolean => {
  const attribute = node.attrs[name];
  return attribute === undefined || (attribute.kind === 'int' && attribute.value === 0);
};

/** x W with W at the right. */
export const isLinear = (node: Node, weight: Value): boolean => {
  if (node.domain !== '' || node.inputs[1] !== weight || node.inputs[0] === weight) return false;
  if (node.op === 'MatMul') return true;
  return node.op === 'Gemm' && isZero(node, 'transA') && isOne(node, 'alpha') && isOne(node, 'beta');
};

/** The packed projections of an Attention that QAttention can stand for: no cache, no bias of scores, equal widths. */
export const isProjection = (node: Node, weight: Value): boolean =>
  node.domain === 'com.microsoft' &&
  node.op === 'Attention' &&
  node.inputs[1] === weight &&
  node.inputs[0] !== weight &&
  Boolean(node.inputs[2]) &&
  node.inputs.slice(4).every((input) => input === null) &&
  node.outputs.length === 1 &&
  node.attrs.qkv_hidden_sizes === undefined;

/** Rows of W by index. */
export const isLookup = (node: Node, weight: Value): boolean =>
  node.domain === '' && node.op === 'Gather' && node.inputs[0] === weight && isZero(node, 'axis');

/** A product that only weights are added to before it leaves the graph: the classifier. */
const reachesOutput = (graph: Graph, node: Node): boolean => {
  const [output] = node.outputs;
  if (output === undefined) return false;
  if (graph.outputs.includes(output)) return true;
  const { users } = indexOf(graph);
  return (users.get(output) ?? []).some(
    (user) =>
      user.op === 'Add' &&
      user.inputs.every((input) => input === output || (input !== null && graph.weights.has(input))) &&
      reachesOutput(graph, user),
  );
};

const tooSmall = (minimum: number): Choice => ({ kept: `smaller than ${minimum} elements` });

const chooseStored = (size: number): Choice => (size < minimumStored ? tooSmall(minimumStored) : { form: 'stored' });

const chooseLinear = (graph: Graph, users: readonly Node[], size: number, options: QuantizeOptions): Choice => {
  // Logits get no rounded inputs: the classifier is a small part of the work.
  if (users.some((user) => reachesOutput(graph, user))) return chooseStored(size);
  const minimum = options.minimumElements ?? minimumMatrix;
  if (size < minimum) return tooSmall(minimum);
  const untyped = users.some((user) => graph.types.get(user.inputs[0] as Value)?.dtype !== 'float32');
  return untyped ? { kept: 'its input is not known to be float32' } : { form: 'linear' };
};

const chooseTable = (size: number, options: QuantizeOptions): Choice => {
  const minimum = options.minimumTable ?? minimumRows;
  return size < minimum ? chooseStored(size) : { form: 'table' };
};

const choose = (graph: Graph, name: Value, tensor: Tensor, options: QuantizeOptions): Choice => {
  const users = indexOf(graph).users.get(name) ?? [];
  if (tensor.dims.length !== 2) return { kept: 'no matrix' };
  if (graph.outputs.includes(name)) return { kept: 'an output of the graph' };
  const size = elementCount(tensor.dims);
  if (users.every((user) => isLinear(user, name) || isProjection(user, name))) {
    return chooseLinear(graph, users, size, options);
  }
  if (options.embeddings === false) return { kept: 'embeddings are not asked for' };
  if (users.every((user) => isLookup(user, name))) return chooseTable(size, options);
  return chooseStored(size);
};

/** The choice for every float32 weight, in the order of the graph. */
export const chooseWeights = (graph: Graph, options: QuantizeOptions): ReadonlyMap<Value, Choice> => {
  const excluded = exclusion(graph, options.exclude ?? []);
  const choices = new Map<Value, Choice>();
  for (const [name, tensor] of graph.weights) {
    if (tensor.dtype !== 'float32') continue;
    choices.set(name, excluded(name) ? { kept: 'excluded' } : choose(graph, name, tensor, options));
  }
  return choices;
};
