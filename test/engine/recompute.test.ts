import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Feeds, HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { crossEntropy } from '../../engine/losses/index.ts';
import { recomputed } from '../../engine/recompute.ts';
import { buildStep } from '../../engine/step.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { readGraph } from '../../graph/codec/index.ts';
import { differentiate } from '../../graph/differentiate.ts';
import { bindDim, symbol } from '../../graph/dim.ts';
import { type Graph, indexOf, type Node, type Value, value } from '../../graph/graph.ts';
import { elementCount } from '../../graph/tensor.ts';
import { tinyModel, tinySettings } from './rig.ts';

const isCopy = ({ name }: Node): boolean => name.endsWith('/again');

const copiesIn = (graph: Graph): readonly string[] => graph.nodes.filter(isCopy).map(({ op }) => op);

interface Chain {
  readonly graph: Graph;
  readonly loss: Value;
}

const opsets = { '': 21, 'com.microsoft': 1 };

/** Two products with something between them, the gradients of both weights, and a loss. */
const chain = (between: (builder: GraphBuilder, x: Value) => Value, sets = opsets): Chain => {
  const builder = new GraphBuilder('chain', sets);
  const x = builder.input('x', 'float32', [symbol('rows'), 3]);
  const [first, second] = [builder.input('first', 'float32', [3, 4]), builder.input('second', 'float32', [4, 2])];
  const y = builder.op('MatMul', [between(builder, builder.op('MatMul', [x, first])), second]);
  const loss = builder.op('ReduceSum', [y], { keepdims: 0 });
  const gradients = differentiate(builder, loss, [first, second]);
  return { graph: builder.freeze([loss, ...gradients.values()]), loss };
};

const numbers = (dims: readonly number[]): HostTensor => ({
  dtype: 'float32',
  dims,
  data: Float32Array.from({ length: elementCount(dims) }, (_, i) => Math.sin(i + 1)),
});

const feeds: Feeds = {
  ...{ x: numbers([5, 3]), first: numbers([3, 4]), second: numbers([4, 2]) },
  mask: { dtype: 'uint8', dims: [5, 4], data: Uint8Array.from({ length: 20 }, (_, i) => i % 2) },
};

const compile = (graph: Graph, optimizedFile?: string) =>
  cpuEngine.compile(graph, {
    ...{ threads: 1, optimization: 'all', memory: 'pooled' },
    ...(optimizedFile === undefined ? {} : { optimizedFile }),
  });

const run = async (graph: Graph): Promise<unknown> => {
  const program = await compile(graph);
  try {
    return await program.run(Object.fromEntries(graph.inputs.map((name) => [name, feeds[name] ?? numbers([])])));
  } finally {
    await program.release();
  }
};

/** The graph as the runtime runs it. */
const asRun = async (graph: Graph): Promise<Graph> => {
  const folder = await mkdtemp(join(tmpdir(), 'decant-recompute-'));
  try {
    await (await compile(graph, join(folder, 'run.onnx'))).release();
    return await readGraph(join(folder, 'run.onnx'));
  } finally {
    await rm(folder, { recursive: true });
  }
};

const gelu = (builder: GraphBuilder, x: Value): Value => builder.op('Gelu', [x]);

const contribGelu = (builder: GraphBuilder, x: Value): Value => {
  const outputs = [value('own')];
  builder.add({ op: 'Gelu', domain: 'com.microsoft', name: 'own', inputs: [x], outputs, attrs: {} });
  return value('own');
};

const masked = (builder: GraphBuilder, x: Value): Value => {
  const mask = builder.input('mask', 'uint8', [symbol('rows'), 4]);
  const scaled = builder.op('DequantizeLinear', [mask, builder.scalar('float32', 1.25)]);
  return builder.op('Mul', [builder.op('Softmax', [x]), scaled]);
};

const layers = (builder: GraphBuilder, x: Value): Value => gelu(builder, masked(builder, gelu(builder, x)));

describe('what a step computes again', () => {
  it.each([
    ['a Gelu, whose gradient keeps what it reads', gelu, ['Gelu']],
    ['a mask of bytes, and its product with a softmax that its gradient keeps', masked, ['DequantizeLinear', 'Mul']],
    ['nothing of a sum of which nobody keeps a part', (b: GraphBuilder, x: Value) => b.op('Add', [x, x]), []],
    ['no product of matrices', (_: GraphBuilder, x: Value) => x, []],
    ['no Gelu with tanh', (b: GraphBuilder, x: Value) => b.op('Gelu', [x], { approximate: 'tanh' }), []],
  ])('is %s', (_, between, expected) => {
    const { graph, loss } = chain(between);
    expect(copiesIn(recomputed(graph, loss))).toEqual(expected);
  });

  it('is nothing where an operator set has one name for a Gelu', () => {
    const { graph, loss } = chain(contribGelu, { ...opsets, '': 17 });
    expect(copiesIn(recomputed(graph, loss))).toEqual([]);
  });

  it.each([
    ['Gelu', gelu],
    ["ONNX Runtime's Gelu", contribGelu],
    ['masks', masked],
    ['several layers', layers],
  ])('has the same bits: %s', async (_, between) => {
    const { graph, loss } = chain(between);
    const again = recomputed(graph, loss);
    expect(copiesIn(again).length).toBeGreaterThan(0);
    expect(await run(again)).toEqual(await run(graph));
  });

  it('is read by the backward pass alone, which reads nothing else of these nodes', () => {
    const { graph, loss } = chain(layers);
    const again = recomputed(graph, loss);
    const { users, producer } = indexOf(again);
    const copies = again.nodes.filter(isCopy);
    const backward = (node: Node): boolean => node.name.startsWith('gradient/') || isCopy(node);
    for (const copy of copies) {
      for (const output of copy.outputs) expect(users.get(output)?.every(backward)).toBe(true);
      const original = again.nodes.find(({ name }) => `${name}/again` === copy.name);
      for (const output of original?.outputs ?? []) expect(users.get(output)?.some(backward)).toBe(false);
    }
    expect(copies.map(({ op }) => op).sort()).toEqual(['DequantizeLinear', 'Gelu', 'Mul']);
    expect(producer.get(loss)?.name).not.toContain('again');
  });

  it('stays two nodes in the runtime, which merges equal ones', async () => {
    const { graph } = buildStep(tinyModel(), { losses: [crossEntropy(tinySettings)], dropout: 0.1 });
    const copies = copiesIn(graph);
    expect(new Set(copies)).toEqual(new Set(['DequantizeLinear', 'Gelu', 'Mul']));
    expect(copiesIn(await asRun(graph)).toSorted()).toEqual(copies.toSorted());
  });

  it('is a third of what an encoder of usual proportions would keep for its gradients', () => {
    const model = tinyModel({ hidden: 48, heads: 12, ffn: 192, maxLength: 48, layers: 6 });
    const { graph } = buildStep(model, { losses: [crossEntropy(tinySettings)], dropout: 0.1 });
    const { users } = indexOf(graph);
    const sizeOf = (v: Value): number => {
      const dims = graph.types.get(v)?.shape?.map((dim) => bindDim(dim, { batch: 64, sequence: 48 })) ?? [];
      return dims.reduce<number>((product, dim) => product * Number(dim), 1);
    };
    const later = (node: Node): boolean => node.name.startsWith('backward/') || isCopy(node);
    const sum = (nodes: readonly Node[]): number =>
      nodes.flatMap(({ outputs }) => outputs.map(sizeOf)).reduce((a, b) => a + b, 0);
    const kept = graph.nodes.filter((node) => !later(node) && node.outputs.some((v) => users.get(v)?.some(later)));
    const spared = sum(graph.nodes.filter(isCopy));
    expect(spared / (sum(kept) + spared)).toBeGreaterThan(0.33);
  });
});
