import { stream } from '../../data/random.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import type { CutGroup } from '../../graph/cut/index.ts';
import type { Graph, Node, Value } from '../../graph/graph.ts';
import { float32Of, type Tensor, tensorOf } from '../../graph/tensor.ts';

/** Random weights everywhere, biases and norms too: what starts at 0 or 1 would hide a slice that is missing. */
export const shaken = (graph: Graph, seed = 7): Graph => {
  const weights = new Map(graph.weights);
  for (const [name, tensor] of graph.weights) {
    if (tensor.dtype !== 'float32' || tensor.dims.length === 0) continue;
    const random = stream(seed, 'shaken', name);
    weights.set(
      name,
      tensorOf(
        'float32',
        tensor.dims,
        float32Of(tensor).map((w) => w + 0.3 * random.normal()),
      ),
    );
  }
  return { ...graph, weights };
};

/** 1 where an index stays, 0 where its unit goes. */
export const maskOf = (owner: Int32Array, kept: readonly number[]): Float32Array<ArrayBuffer> =>
  Float32Array.from(owner, (unit) => Number(unit < 0 || kept.includes(unit)));

const masked = (tensor: Tensor, axis: number, mask: Float32Array): Tensor => {
  const stride = tensor.dims.slice(axis + 1).reduce((a, b) => a * b, 1);
  const data = float32Of(tensor).map((w, i) => w * (mask[Math.floor(i / stride) % mask.length] ?? 1));
  return tensorOf('float32', tensor.dims, data);
};

/** The dense graph with the coupled weights of all removed units set to 0. */
export const maskWeights = (graph: Graph, groups: readonly CutGroup[], kept: readonly (readonly number[])[]): Graph => {
  const weights = new Map(graph.weights);
  groups.forEach((group, i) => {
    for (const { value, axis, owner } of group.weights) {
      const tensor = weights.get(value);
      if (tensor?.dtype === 'float32') weights.set(value, masked(tensor, axis, maskOf(owner, kept[i] ?? [])));
    }
  });
  return { ...graph, weights };
};

/** y = (x - mean) / sqrt(variance + epsilon) * scale + shift, mean and variance over the positions where the mask is 1. */
const maskedNorm = (builder: GraphBuilder, node: Node, mask: Float32Array<ArrayBuffer>): void => {
  const [x, scale, shift] = node.inputs;
  const [output] = node.outputs;
  const epsilon = node.attrs.epsilon?.kind === 'float' ? node.attrs.epsilon.value : 1e-5;
  if (x == null || scale == null || shift == null || output === undefined) throw new Error('a norm lacks an input');
  const keep = builder.constant(tensorOf('float32', [mask.length], mask));
  const count = builder.scalar(
    'float32',
    mask.reduce((a, b) => a + b, 0),
  );
  const mean = (v: Value): Value =>
    builder.op('Div', [builder.op('ReduceSum', [v, builder.ints([-1])], { keepdims: 1 }), count]);
  const centred = builder.op('Mul', [builder.op('Sub', [x, mean(builder.op('Mul', [x, keep]))]), keep]);
  const variance = mean(builder.op('Mul', [centred, centred]));
  const deviation = builder.op('Sqrt', [builder.op('Add', [variance, builder.scalar('float32', epsilon)])]);
  const normal = builder.op('Mul', [builder.op('Div', [centred, deviation]), scale]);
  builder.add({ ...node, op: 'Add', inputs: [normal, shift], attrs: {} });
};

/** The graph with the statistics of every normalisation over a cut axis counted over the kept positions only. */
export const countKeptOnly = (graph: Graph, group: CutGroup, kept: readonly number[]): Graph => {
  const owners = new Map(group.axes.map(({ value, owner }) => [value, owner]));
  const builder = new GraphBuilder(graph.name, graph.opsets);
  for (const input of graph.inputs) {
    const type = graph.types.get(input);
    if (type !== undefined) builder.input(input, type.dtype, type.shape);
  }
  for (const [name, tensor] of graph.weights) builder.weight(name, tensor);
  for (const node of graph.nodes) {
    const owner = node.inputs[0] == null ? undefined : owners.get(node.inputs[0]);
    if (node.op === 'LayerNormalization' && owner !== undefined) {
      builder.within('reference', () => maskedNorm(builder, node, maskOf(owner, kept)));
    } else builder.add(node, (v) => graph.types.get(v));
  }
  return builder.freeze(graph.outputs);
};

/** Every unit but some, at least one: which ones is drawn from the seed. */
export const someOf = (count: number, seed: number, name: string): readonly number[] => {
  const random = stream(seed, 'kept', name);
  const kept = Array.from({ length: count }, (_, i) => i).filter(() => random.uniform() < 0.6);
  return kept.length === 0 ? [random.integer(count)] : kept;
};
