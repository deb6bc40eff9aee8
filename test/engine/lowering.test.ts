import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { lowered } from '../../engine/engines/cpu/lower/index.ts';
import { lastFirst } from '../../engine/engines/cpu/lower/order.ts';
import { crossEntropy } from '../../engine/losses/index.ts';
import { soonest } from '../../engine/order.ts';
import { buildStep } from '../../engine/step.ts';
import { readTrace } from '../../engine/trace.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { symbol } from '../../graph/dim.ts';
import { type Graph, indexOf, type Node, readsOf, type Value } from '../../graph/graph.ts';
import { difference, feedsFor, operatorsOf, outputsOf } from '../graph/rewrite-run.ts';
import { tinyModel, tinySettings } from './rig.ts';

/** Float32 sums in another order: a few roundings of values around 1. */
const TOLERANCE = 1e-5;

const sizes = { batch: 3, sequence: 5 };
const stack = [symbol('batch'), symbol('sequence'), 4];

type Emit = (builder: GraphBuilder) => readonly Value[];

const graphOf = (emit: Emit, opset = 21): Graph => {
  const builder = new GraphBuilder('sample', { '': opset, 'com.microsoft': 1 });
  return builder.freeze(emit(builder));
};

const x = (builder: GraphBuilder, name = 'x'): Value => builder.input(name, 'float32', stack);
const heads = (builder: GraphBuilder, name: string): Value =>
  builder.input(name, 'float32', [symbol('batch'), symbol('sequence'), 2, 4]);
const turned = (builder: GraphBuilder, value: Value, ...perm: readonly number[]): Value =>
  builder.op('Transpose', [value], { perm });

const biased = (builder: GraphBuilder): Value =>
  builder.op('Add', [
    builder.op('MatMul', [x(builder), builder.input('w', 'float32', [4, 6])]),
    builder.input('b', 'float32', [6]),
  ]);

const summed =
  (axes: readonly number[], keepdims = 0): Emit =>
  (builder) => [builder.op('ReduceSum', [x(builder), builder.ints(axes)], { keepdims })];

const distribution = (builder: GraphBuilder, value: Value): Value => {
  const erf = builder.op('Erf', [builder.op('Mul', [value, builder.scalar('float32', Math.SQRT1_2)])]);
  const sum = builder.op('Add', [erf, builder.scalar('float32', 1)]);
  return builder.op('Mul', [sum, builder.scalar('float32', 0.5)]);
};

/** A Gelu of which a copy is made for the backward pass, and its distribution. */
const twoGelus: Emit = (builder) => {
  const value = x(builder);
  const [first, again] = [builder.op('Gelu', [value]), builder.op('Gelu', [value])];
  return [first, again, distribution(builder, value)];
};

/** Scores of heads, and gradients of both sides as differentiation makes them. */
const attention: Emit = (builder) => {
  const [q, k] = [turned(builder, heads(builder, 'q'), 0, 2, 1, 3), turned(builder, heads(builder, 'k'), 0, 2, 3, 1)];
  const scores = builder.op('MatMul', [q, k]);
  const dq = builder.op('MatMul', [scores, turned(builder, k, 0, 1, 3, 2)]);
  const dk = builder.op('MatMul', [turned(builder, q, 0, 1, 3, 2), scores]);
  return [scores, turned(builder, dq, 0, 2, 1, 3), turned(builder, dk, 0, 3, 1, 2)];
};

const fires: readonly (readonly [string, Emit, Readonly<Record<string, number | undefined>>])[] = [
  ['a product and its bias', (b) => [biased(b)], { Gemm: 1, Add: undefined, MatMul: undefined }],
  [
    'a bias in front of a product',
    (b) => {
      const row = b.input('b', 'float32', [6]);
      return [b.op('Add', [row, b.op('MatMul', [x(b), b.input('w', 'float32', [4, 6])])])];
    },
    { Gemm: 1, Add: undefined },
  ],
  ['a sum of rows', summed([0, 1]), { MatMul: 1, ReduceSum: undefined }],
  ['a sum of rows counted from the end', summed([-2, -3]), { MatMul: 1, ReduceSum: undefined }],
  ['a Gelu made again', twoGelus, { Gelu: 1, HardSigmoid: 1, Erf: 1 }],
  ['heads', attention, { Transpose: 4, 'com.microsoft:FusedMatMul': 3, MatMul: undefined }],
  [
    'a product turned over in place',
    (b) => [turned(b, b.op('MatMul', [heads(b, 'p'), b.input('w', 'float32', [4, 5])]), 0, 1, 3, 2)],
    { Transpose: undefined, 'com.microsoft:FusedMatMul': 1 },
  ],
  [
    'a weight that is read by columns',
    (b) => [b.op('MatMul', [x(b), turned(b, b.input('w', 'float32', [6, 4]), 1, 0)])],
    { Transpose: undefined, 'com.microsoft:FusedMatMul': 1 },
  ],
];

const holds: readonly (readonly [string, Emit])[] = [
  [
    'a bias of one number',
    (b) => [b.op('Add', [b.op('MatMul', [x(b), b.input('w', 'float32', [4, 6])]), b.input('b', 'float32', [1])])],
  ],
  [
    'a product that is an output as well',
    (b) => {
      const p = b.op('MatMul', [x(b), b.input('w', 'float32', [4, 6])]);
      return [p, b.op('Add', [p, b.input('b', 'float32', [6])])];
    },
  ],
  ['a residual', (b) => [b.op('Add', [b.op('MatMul', [x(b), b.input('w', 'float32', [4, 4])]), x(b, 'y')])]],
  ['a sum over the last axis', summed([2])],
  ['a sum over the texts of a batch', summed([0])],
  ['a sum that keeps its axes', summed([0, 1], 1)],
  ['a Gelu with tanh', (b) => [b.op('Gelu', [x(b)], { approximate: 'tanh' })]],
  ['a matrix that only moves', (b) => [turned(b, heads(b, 'p'), 0, 2, 1, 3)]],
];

const shapesOf = (graph: Graph): readonly unknown[] =>
  graph.outputs.map((name) => graph.types.get(name)?.shape?.length);

describe('a step in the words of the CPU', () => {
  it.each(fires)('computes the same: %s', async (_, emit, expected) => {
    const graph = graphOf(emit);
    const other = lowered(graph);
    expect(operatorsOf(other)).toMatchObject(
      Object.fromEntries(Object.entries(expected).filter(([, n]) => n !== undefined)),
    );
    for (const [op, count] of Object.entries(expected)) expect(operatorsOf(other)[op]).toBe(count);
    expect(other.outputs).toEqual(graph.outputs);
    expect(shapesOf(other)).toEqual(shapesOf(graph));
    for (const symbols of [sizes, { batch: 1, sequence: 1 }]) {
      const feeds = feedsFor(graph, symbols, { seed: 1 });
      expect(difference(await outputsOf(graph, feeds), await outputsOf(other, feeds))).toBeLessThan(TOLERANCE);
    }
  });

  it.each(holds)('leaves alone: %s', (_, emit) => {
    const graph = graphOf(emit);
    expect(operatorsOf(lowered(graph))).toEqual(operatorsOf(graph));
  });

  it('leaves alone what an operator set says in another way', () => {
    const graph = graphOf((b) => [biased(b)], 12);
    expect(lowered(graph)).toBe(graph);
  });

  it('has no Gelu twice, no bias added by itself and no row summed by ReduceSum in a step', () => {
    const { graph } = buildStep(tinyModel(), { losses: [crossEntropy(tinySettings)], dropout: 0.1 });
    const [before, after] = [operatorsOf(graph), operatorsOf(lowered(graph))];
    expect([before['com.microsoft:Gelu'], after['com.microsoft:Gelu']]).toEqual([2, undefined]);
    expect(after.HardSigmoid).toBe(after.Gelu);
    expect(after.Erf).toBe(before.Erf);
    expect(after.ReduceSum).toBeLessThan((before.ReduceSum ?? 0) / 2);
    expect(after.Transpose).toBeLessThan(before.Transpose ?? 0);
  });

  it('is listed with every node behind what it reads, and no node is lost', () => {
    const { graph } = buildStep(tinyModel(), { losses: [crossEntropy(tinySettings)], dropout: 0.1 });
    const listed = lastFirst(soonest(graph)).nodes;
    const done = new Set<Value>([...graph.inputs, ...graph.weights.keys()]);
    for (const node of listed) {
      for (const read of readsOf(node)) expect(done.has(read)).toBe(true);
      for (const output of node.outputs) done.add(output);
    }
    expect(new Set(listed)).toEqual(new Set(graph.nodes));
  });

  it('runs the gradients of a layer before anything is computed again for the layer below', async () => {
    const { graph } = buildStep(tinyModel({ layers: 3 }), { losses: [crossEntropy(tinySettings)], dropout: 0 });
    const order = await ranIn(graph);
    const place = (name: string): number => order.findIndex((ran) => ran.includes(name));
    const gelus = graph.nodes
      .filter(({ name }) => name.endsWith('/again') && name.includes('Gelu'))
      .map(({ name }) => name);
    expect(gelus.length).toBe(3);
    const weights = gelus.map((name) => gradientBehind(graph, name));
    const places = gelus.flatMap((name, i) => [place(name), place(weights[i] ?? '')]);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places).not.toContain(-1);
  });
});

/** The gradient of the weight that reads a Gelu computed again. */
const gradientBehind = (graph: Graph, name: string): string | undefined => {
  const { users } = indexOf(graph);
  const follow = (value: Value | undefined): Node | undefined => {
    const next = value === undefined ? undefined : users.get(value)?.[0];
    return next === undefined || next.op === 'Gemm' ? next : follow(next.outputs[0]);
  };
  return follow(graph.nodes.find((node) => node.name === name)?.outputs[0])?.name;
};

/** Names of nodes in the order in which the runtime runs them. */
const ranIn = async (graph: Graph): Promise<readonly string[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'decant-lowering-'));
  try {
    const program = await cpuEngine.compile(graph, {
      ...{ threads: 1, optimization: 'all', memory: 'pooled', training: true },
      profilePrefix: join(folder, 'run'),
    });
    await program.run(feedsFor(graph, { batch: 2, sequence: 4 }, { seed: 1 }));
    await program.release();
    const [file = ''] = await readdir(folder);
    return [...(await readTrace(join(folder, file))).keys()];
  } finally {
    await rm(folder, { recursive: true });
  }
};
