import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Feeds, HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { readGraph } from '../../graph/codec/index.ts';
import { sliceTensor } from '../../graph/cut/slice.ts';
import { differentiate } from '../../graph/differentiate.ts';
import { type Graph, type Value, value } from '../../graph/graph.ts';
import { keptAs } from '../../graph/normalize/index.ts';
import { quantizeWeights } from '../../graph/quantize/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { parameterNames } from '../../graph/sites.ts';
import { arrayOf, float32Of, type Tensor } from '../../graph/tensor.ts';
import { withoutUnits } from '../../models/anatomy/removal.ts';
import { shared, unshared } from '../../models/anatomy/unshare.ts';
import { lookedAt, normalForm } from '../../models/foreign.ts';
import { inspectGraph } from '../../models/inspect.ts';
import { isQuantized } from '../../models/quantized.ts';
import { knownFolder, knownNames, knownTruth } from '../rig/known.ts';

/** Of PyTorch's own numbers, by the largest of them: sums of other kernels in another order. */
const TOLERANCE = 1e-4;
const GRADIENT_TOLERANCE = 1e-2;
const LEAST_COSINE = 0.95;

type Truth = ReturnType<typeof knownTruth>;
type Floats = ArrayLike<number>;

/** What states hold of the heads that a layer keeps: inputs that are named by the number of their layer. */
const statesWithout =
  (graph: Graph, { anatomy }: Truth, heads: Readonly<Record<string, readonly number[]>>) =>
  (name: string, tensor: Tensor): Tensor => {
    const layer = /\.(\d+)\./.exec(name)?.[1];
    const count = tensor.dims[1] ?? 1;
    if (layer === undefined || tensor.dims.length !== 4 || graph.types.get(value(name))?.shape?.[1] === count)
      return tensor;
    const shared = (anatomy.layers[Number(layer)]?.heads ?? count) / count;
    const stays = (group: number): boolean =>
      Array.from({ length: shared }, (_, i) => group * shared + i).some((head) => !heads[layer]?.includes(head));
    return sliceTensor(tensor, [undefined, Int32Array.from([...Array(count).keys()].filter(stays))]);
  };

const host = (tensor: Tensor): HostTensor => ({ dtype: tensor.dtype, dims: tensor.dims, data: arrayOf(tensor) });

type Change = (name: string, tensor: Tensor) => Tensor;

const fedTo = (
  { inputs }: Graph,
  tensors: Readonly<Record<string, Tensor>>,
  change: Change = (_, tensor) => tensor,
): Feeds =>
  Object.fromEntries(
    Object.entries(tensors).flatMap(([name, tensor]) =>
      inputs.includes(value(name)) ? [[name, host(change(name, tensor))]] : [],
    ),
  );

const run = async (graph: Graph, feeds: Feeds, optimization: 'all' | 'basic' = 'all'): Promise<Feeds> => {
  const program = await cpuEngine.compile(graph, { threads: 1, optimization });
  try {
    return await program.run(feeds);
  } finally {
    await program.release();
  }
};

const floatsOf = (name: string, outputs: Feeds): Floats => {
  const data = outputs[name]?.data;
  if (!(data instanceof Float32Array)) throw new Error(`'${name}' is no float32 output`);
  return data;
};

const largest = (numbers: Floats): number => Array.from(numbers, Math.abs).reduce((a, b) => Math.max(a, b), 0);

/** Largest difference, by the largest number that was expected. */
const distance = (found: Floats, expected: Floats): number => {
  expect(found.length).toBe(expected.length);
  return largest(Array.from(expected, (x, i) => x - (found[i] ?? Number.NaN))) / Math.max(1e-3, largest(expected));
};

const dot = (x: Floats, y: Floats): number => Array.from(x).reduce((sum, number, i) => sum + number * (y[i] ?? 0), 0);

const cosine = (a: Floats, b: Floats): number => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

/** How far the first output of a graph is from what is expected of each sample. */
const farthest = async (
  graph: Graph,
  { samples }: Truth,
  expected: readonly Tensor[],
  change?: Change,
): Promise<number> => {
  const [output = ''] = graph.outputs;
  const distances: number[] = [];
  for (const [i, tensor] of expected.entries()) {
    const outputs = await run(graph, fedTo(graph, samples[i]?.inputs ?? {}, change));
    distances.push(distance(floatsOf(output, outputs), float32Of(tensor)));
  }
  return Math.max(...distances);
};

const answersOf = ({ samples }: Truth): readonly Tensor[] => samples.map(({ output }) => output);

const total = (count: number | readonly number[]): number => [count].flat().reduce((a, b) => a + b, 0);

/** The gradient of a matrix under its name in PyTorch, where the file holds it the other way round. */
const turned = (data: Floats, [rows = 0, columns = 0]: readonly number[]): Floats =>
  Array.from({ length: data.length }, (_, i) => data[(i % rows) * columns + Math.floor(i / rows)] ?? 0);

/** dL/dW of L = sum(output x cotangent) by weight. */
const gradientsOf = async (graph: Graph, { samples }: Truth, known: NonNullable<Truth['gradients']>) => {
  const builder = GraphBuilder.from(graph);
  const cotangent = host(known.cotangent);
  const given = builder.input('cotangent', 'float32', cotangent.dims);
  const weighed = builder.op('Mul', [graph.outputs[0] ?? value(''), given]);
  const loss = builder.op('ReduceSum', [weighed], { keepdims: 0 });
  const gradients = differentiate(builder, loss, parameterNames(graph));
  const feeds = { ...fedTo(graph, samples[known.sample]?.inputs ?? {}), cotangent };
  const outputs = await run(builder.freeze([loss, ...gradients.values()]), feeds, 'basic');
  return new Map<Value, Floats>([...gradients].map(([name, gradient]) => [name, floatsOf(gradient, outputs)]));
};

const readKnown = async (name: string) => ({
  graph: await readGraph(join(knownFolder, `${name}.onnx`)),
  truth: knownTruth(name),
});

describe.each(knownNames)('%s', (name) => {
  it('is read and put into normal form with the same outputs', async () => {
    const { graph, truth } = await readKnown(name);
    expect(await farthest(normalForm(graph), truth, answersOf(truth))).toBeLessThan(
      Math.max(TOLERANCE, truth.tolerance),
    );
  });

  it('shows its layers, heads, neurons and widths', async () => {
    const { graph, truth } = await readKnown(name);
    const { layers = [], hidden, vocabulary } = inspectGraph(lookedAt(graph), { length: 7 }).anatomy ?? {};
    const found = layers.map(({ inputWidth: _, outputWidth: __, sharedWith: ___, ...units }) => units);
    expect({ layers: found, hidden, vocabulary }).toEqual({
      layers: truth.anatomy.layers.map((layer) => ({ ...layer, ffn: total(layer.ffn) })),
      hidden: truth.anatomy.hidden,
      vocabulary: truth.anatomy.vocabulary ?? undefined,
    });
  });

  it('without named units answers as PyTorch does with these masked', async () => {
    const { graph, truth } = await readKnown(name);
    const whole = unshared(normalForm(graph));
    for (const { removed, outputs } of truth.cuts ?? []) {
      const small = shared(withoutUnits(whole, removed));
      const states = statesWithout(small, truth, removed.heads);
      expect(await farthest(small, truth, outputs, states), JSON.stringify(removed)).toBeLessThan(TOLERANCE);
    }
  });

  it('has the gradients of PyTorch', async () => {
    const { graph, truth } = await readKnown(name);
    if (truth.gradients === undefined) return;
    const normal = normalForm(graph);
    const [found, places] = [await gradientsOf(normal, truth, truth.gradients), keptAs(graph, normal)];
    for (const { torch, initializers, ...known } of truth.gradients.weights) {
      const candidates = initializers.flatMap(({ name: weight, transposed, dims }) => {
        const place = places.get(value(weight)) ?? { weight: value(weight), turned: false };
        const gradient = found.get(place.weight);
        if (gradient === undefined) return [];
        return [transposed !== place.turned ? turned(gradient, place.turned ? dims.toReversed() : dims) : gradient];
      });
      if (initializers.length === 0) continue;
      // Where the file holds a weight twice, either place has its part.
      const expected = float32Of(known);
      const sum = Array.from(expected, (_, i) => candidates.reduce((all, one) => all + (one[i] ?? 0), 0));
      const distances = [sum, ...candidates].map((one) => distance(one, expected));
      expect(Math.min(...distances), torch).toBeLessThan(GRADIENT_TOLERANCE);
    }
  });

  it('is fused to the same outputs, and its 8-bit file answers alike', async () => {
    const { graph, truth } = await readKnown(name);
    if (isQuantized(graph)) return;
    const whole = normalForm(graph);
    expect(await farthest(fuseForInference(whole), truth, answersOf(truth))).toBeLessThan(TOLERANCE);
    const { graph: quantized } = quantizeWeights(whole, { minimumElements: 1 });
    const [output = ''] = quantized.outputs;
    for (const { inputs, output: expected } of truth.samples) {
      const found = floatsOf(output, await run(quantized, fedTo(quantized, inputs)));
      expect(cosine(found, float32Of(expected))).toBeGreaterThan(LEAST_COSINE);
    }
  });
});
