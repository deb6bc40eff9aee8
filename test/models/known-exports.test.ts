import { describe, expect, it } from 'vitest';
import type { Feeds } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { concreteView } from '../../graph/concrete.ts';
import { differentiate } from '../../graph/differentiate.ts';
import { type Graph, value } from '../../graph/graph.ts';
import { normalized } from '../../graph/normalize/index.ts';
import { quantizeDynamic } from '../../graph/quantize/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { parameterNames } from '../../graph/sites.ts';
import { withoutUnits } from '../../models/anatomy/removal.ts';
import { layerUnits } from '../../models/anatomy/units.ts';
import { shared, unshared } from '../../models/anatomy/unshare.ts';
import { anatomyOf } from '../../models/anatomy.ts';
import { hostTensor, hostTensors, knownExports, readKnown, type Truth } from './known-exports.ts';

/** Of PyTorch's own numbers, by the largest of them: sums of other kernels in another order. */
const TOLERANCE = 1e-4;
const GRADIENT_TOLERANCE = 1e-2;
const LEAST_COSINE = 0.95;

type Floats = ArrayLike<number>;

const run = async (graph: Graph, feeds: Feeds, optimization: 'all' | 'basic' = 'all') => {
  const program = await cpuEngine.compile(graph, { threads: 1, optimization });
  try {
    const own = Object.entries(feeds).filter(([name]) => graph.inputs.includes(value(name)));
    return await program.run(Object.fromEntries(own));
  } finally {
    await program.release();
  }
};

const floatsOf = (name: string, outputs: Feeds): Floats => {
  const data = outputs[name]?.data;
  if (!(data instanceof Float32Array)) throw new Error(`'${name}' is no float32 output`);
  return data;
};

const largest = (numbers: Floats): number => Array.from(numbers, Math.abs).reduce((a, b) => Math.max(a, b), 1e-3);

/** Largest difference, by the largest number that was expected. */
const distance = (found: Floats, expected: Floats): number => {
  expect(found.length).toBe(expected.length);
  return largest(Array.from(expected, (x, i) => x - (found[i] ?? Number.NaN))) / largest(expected);
};

const cosine = (a: Floats, b: Floats): number => {
  const dot = (x: Floats, y: Floats): number => Array.from(x).reduce((sum, number, i) => sum + number * (y[i] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};

const floats = (tensor: Truth['samples'][number]['output']): Floats => Array.from(hostTensor(tensor).data, Number);

/** How far the output of a graph is from what is expected of each sample. */
const farthest = async (graph: Graph, { samples, output }: Truth, expected: readonly Floats[]): Promise<number> => {
  const distances: number[] = [];
  for (const [i, numbers] of expected.entries()) {
    const outputs = await run(graph, hostTensors(samples[i]?.inputs ?? {}));
    distances.push(distance(floatsOf(output, outputs), numbers));
  }
  return Math.max(...distances);
};

const summaryOf = (graph: Graph) => {
  const view = concreteView(graph);
  const anatomy = anatomyOf(view);
  return {
    layers: anatomy.layers.map((layer) => layerUnits(view, anatomy, layer)),
    hidden: anatomy.layers.at(-1)?.outputWidth,
    vocabulary: anatomy.vocabulary,
  };
};

const expectedSummary = ({ anatomy: { layers, hidden, vocabulary } }: Truth) => ({
  layers: layers.map(({ ffn, crossHeads = 0, ...layer }) => ({
    ...layer,
    crossHeads,
    ffn: [ffn].flat().reduce((a, b) => a + b, 0),
  })),
  hidden,
  vocabulary: vocabulary ?? undefined,
});

/** The gradient of a matrix under its name in PyTorch, where the file holds it the other way round. */
const turned = (data: Floats, [rows = 0, columns = 0]: readonly number[]): Floats =>
  Array.from({ length: data.length }, (_, i) => data[(i % rows) * columns + Math.floor(i / rows)] ?? 0);

/** dL/dW of L = sum(output x cotangent) by weight. */
const gradientsOf = async (graph: Graph, { output, samples }: Truth, known: NonNullable<Truth['gradients']>) => {
  const builder = GraphBuilder.from(graph);
  const cotangent = hostTensor(known.cotangent);
  const weighed = builder.op('Mul', [value(output), builder.input('cotangent', 'float32', cotangent.dims)]);
  const loss = builder.op('ReduceSum', [weighed], { keepdims: 0 });
  const gradients = differentiate(builder, loss, parameterNames(graph));
  const feeds = { ...hostTensors(samples[known.sample]?.inputs ?? {}), cotangent };
  const outputs = await run(builder.freeze([loss, ...gradients.values()]), feeds, 'basic');
  return new Map([...gradients].map(([name, gradient]) => [name, floatsOf(gradient, outputs)]));
};

describe.each(knownExports)('%s', (name) => {
  it('is read and normalised to the same outputs', async () => {
    const { graph, truth } = await readKnown(name);
    const expected = truth.samples.map(({ output }) => floats(output));
    expect(await farthest(normalized(graph), truth, expected)).toBeLessThan(TOLERANCE);
  });

  it('shows its layers, heads, neurons and widths', async () => {
    const { graph, truth } = await readKnown(name);
    expect(summaryOf(unshared(normalized(graph)))).toEqual(expectedSummary(truth));
  });

  it('without named units answers as PyTorch does with these masked', async () => {
    const { graph, truth } = await readKnown(name);
    const whole = unshared(normalized(graph));
    for (const { removed, outputs } of truth.cuts) {
      const small = shared(withoutUnits(whole, removed));
      expect(await farthest(small, truth, outputs.map(floats)), JSON.stringify(removed)).toBeLessThan(TOLERANCE);
    }
  });

  it('has the gradients of PyTorch', async () => {
    const { graph, truth } = await readKnown(name);
    if (truth.gradients == null) return;
    const found = await gradientsOf(normalized(graph), truth, truth.gradients);
    for (const { torch, initializers, ...known } of truth.gradients.weights) {
      const candidates = initializers.flatMap(({ name: weight, transposed, dims }) => {
        const gradient = found.get(value(weight));
        return gradient === undefined ? [] : [transposed ? turned(gradient, dims) : gradient];
      });
      // Where the file holds a weight twice, either place has its part.
      const sum =
        floats(known).length === 0
          ? []
          : Array.from(floats(known), (_, i) => candidates.reduce((all, one) => all + (one[i] ?? 0), 0));
      const distances = [sum, ...candidates].map((one) => distance(one, floats(known)));
      expect(Math.min(...distances), torch).toBeLessThan(GRADIENT_TOLERANCE);
    }
  });

  it('is fused to the same outputs, and its 8-bit file answers alike', async () => {
    const { graph, truth } = await readKnown(name);
    const whole = normalized(graph);
    const expected = truth.samples.map(({ output }) => floats(output));
    expect(await farthest(fuseForInference(whole), truth, expected)).toBeLessThan(TOLERANCE);
    const { graph: quantized } = quantizeDynamic(whole, { minimumElements: 1 });
    for (const [i, { inputs }] of truth.samples.entries()) {
      const outputs = await run(quantized, hostTensors(inputs));
      expect(cosine(floatsOf(truth.output, outputs), expected[i] ?? [])).toBeGreaterThan(LEAST_COSINE);
    }
  });
});
