import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import type { Feeds, HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { decodeGraph, encodeGraph } from '../../graph/codec/index.ts';
import { bindDim, symbol } from '../../graph/dim.ts';
import { type Graph, opsetOf, type Value, value } from '../../graph/graph.ts';
import {
  bindInput,
  choosingInputs,
  keptAs,
  normalized,
  passes,
  storedAsHalves,
  wasHalved,
} from '../../graph/normalize/index.ts';
import { unfuse } from '../../graph/normalize/unfuse/index.ts';
import { arrayOf, elementCount, float32Of, numbersOf, tensorOf, vector } from '../../graph/tensor.ts';
import { isUserError } from '../../ground/errors.ts';
import { operatorsOf } from './rewrite-run.ts';

/** Sums in another order: a few float32 roundings of values around 1. */
const tolerance = 1e-5;

const shapes = [
  { batch: 3, sequence: 5 },
  { batch: 1, sequence: 7 },
];

/** Every half, as the words of a file. */
const everyHalf = Uint16Array.from({ length: 1 << 16 }, (_, i) => i);

/** Seeded numbers for every input: normal ones, and small integers. */
const feedsFor = (graph: Graph, symbols: Readonly<Record<string, number>>): Feeds =>
  Object.fromEntries(
    graph.inputs.map((name): [string, HostTensor] => {
      const { dtype, shape = [] } = graph.types.get(name) ?? { dtype: 'float32', shape: [] };
      const dims = shape.map((dim) => Number(bindDim(dim, symbols)));
      const random = stream(1, name);
      const length = elementCount(dims);
      if (dtype === 'float32')
        return [name, { dtype, dims, data: Float32Array.from({ length }, () => random.normal()) }];
      const data = BigInt64Array.from({ length }, () => BigInt(random.integer(8)));
      return [name, { dtype: 'int64', dims, data }];
    }),
  );

const outputsOf = async (graph: Graph, feeds: Feeds): Promise<readonly (readonly number[])[]> => {
  const program = await cpuEngine.compile(graph, { threads: 1, optimization: 'basic' });
  try {
    const results = await program.run(feeds);
    return graph.outputs.map((name) => Array.from(results[name]?.data ?? [], Number));
  } finally {
    await program.release();
  }
};

const expectEqualOutputs = async (before: Graph, after: Graph): Promise<void> => {
  expect(after.outputs).toEqual(before.outputs);
  expect(after.inputs).toEqual(before.inputs);
  for (const symbols of shapes) {
    const feeds = feedsFor(before, symbols);
    const [expected, found] = [await outputsOf(before, feeds), await outputsOf(after, feeds)];
    expect(found.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
    expected.forEach((numbers, i) => {
      const largest = numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 1);
      const gaps = numbers.map((x, j) => Math.abs(x - (found[i]?.[j] ?? Number.NaN)) / largest);
      expect(Math.max(0, ...gaps)).toBeLessThan(tolerance);
    });
  }
};

/** What takes fused operators apart is tried beside each of them, with inputs of their own, in unfuse.test.ts. */
const listed = [...new Set(passes)].filter((pass) => pass !== unfuse);
const samples = listed.flatMap((pass) => pass.changes.map((sample) => [pass.name, sample.name, pass, sample] as const));

describe('a pass of normalisation', () => {
  it.each(samples)('%s: changes %s, and keeps outputs', async (_name, _sample, pass, sample) => {
    const graph = sample.graph();
    const changed = pass.run(graph);
    expect(changed).not.toBe(graph);
    await expectEqualOutputs(graph, changed);
    expect(pass.run(changed)).toBe(changed);
  });

  it.each(listed.flatMap((pass) => pass.leaves.map((sample) => [pass.name, sample.name, pass, sample] as const)))(
    '%s: leaves %s',
    (_name, _sample, pass, sample) => {
      const graph = sample.graph();
      expect(pass.run(graph)).toBe(graph);
    },
  );

  it('has samples of both kinds', () => {
    for (const { changes, leaves } of listed) expect(Math.min(changes.length, leaves.length)).toBeGreaterThan(0);
  });
});

describe('a normalised graph', () => {
  it.each(samples)(
    'has equal outputs, and is normalised again as itself: %s of %s',
    async (_name, _sample, _pass, sample) => {
      const graph = sample.graph();
      const once = normalized(graph);
      await expectEqualOutputs(graph, once);
      expect(normalized(once)).toBe(once);
      expect(opsetOf(once.opsets, '')).toBeGreaterThanOrEqual(20);
    },
  );

  it('is read from a file as what it was', () => {
    for (const [, , , sample] of samples) {
      const graph = normalized(sample.graph());
      expect(new Map(decodeGraph(encodeGraph(graph)).types)).toEqual(new Map(graph.types));
    }
  });
});

/** A step over a cache: a flag chooses whether it is read. */
const stepping = (): Graph => {
  const body = (op: string): Graph => ({
    name: op,
    nodes: [{ op, domain: '', name: 'inner', inputs: [value('x')], outputs: [value('out')], attrs: {} }],
    inputs: [],
    outputs: [value('out')],
    weights: new Map(),
    types: new Map([[value('out'), { dtype: 'float32', shape: undefined }]]),
    opsets: { '': 20 },
  });
  const builder = new GraphBuilder('stepping');
  builder.input('x', 'float32', [symbol('batch'), 2]);
  builder.input('use_cache', 'bool', [1]);
  builder.add(
    {
      op: 'If',
      domain: '',
      name: 'choice',
      inputs: [value('use_cache')],
      outputs: [value('y')],
      attrs: { then_branch: { kind: 'graph', value: body('Neg') }, else_branch: { kind: 'graph', value: body('Exp') } },
    },
    () => ({ dtype: 'float32', shape: undefined }),
  );
  return builder.freeze([value('y')]);
};

const flag = (on: number) => tensorOf('bool', [1], Uint8Array.of(on));

describe('an input that is bound', () => {
  it('is found by what it does', () => {
    expect(choosingInputs(stepping())).toEqual(['use_cache']);
    expect(choosingInputs(normalized(bindInput(stepping(), 'use_cache', flag(1))))).toEqual([]);
  });

  it('leaves the branch that it chooses', () => {
    expect(operatorsOf(normalized(stepping()))).toEqual({ If: 1 });
    for (const [on, op] of [
      [1, 'Neg'],
      [0, 'Exp'],
    ] as const) {
      const graph = normalized(bindInput(stepping(), 'use_cache', flag(on)));
      expect(operatorsOf(graph)).toEqual({ [op]: 1 });
      expect(graph.inputs).toEqual(['x']);
      expect(graph.types.get(value('y'))?.shape).toEqual([symbol('batch'), 2]);
    }
  });

  it.each([
    ['a name that is no input', 'cache', flag(1), "has no input 'cache' to bind; it has x, use_cache"],
    ['another type', 'use_cache', vector('int64', [1]), "'use_cache' takes bool[1], and no int64[1]"],
    ['another size', 'x', vector('float32', [1, 2, 3], [1, 3]), "'x' takes float32[batch, 2], and no float32[1, 3]"],
  ] as const)('refuses %s', (_, name, tensor, said) => {
    try {
      bindInput(stepping(), name, tensor);
      expect.unreachable();
    } catch (error) {
      expect(isUserError(error, 'model')).toBe(true);
      expect(String(error)).toContain(said);
    }
  });
});

describe('a weight of a file', () => {
  it('is told by its name in the file, where it was turned over, tied or widened', () => {
    const builder = new GraphBuilder('named');
    const x = builder.input('x', 'float32', [symbol('batch'), 8]);
    const waves = (seed: number) =>
      vector(
        'float32',
        Array.from({ length: 80 }, (_, i) => Math.sin(seed + i)),
        [10, 8],
      );
    const weights = ['turned', 'own', 'first', 'second'].map((name, i) => builder.weight(name, waves(Math.min(i, 2))));
    const [turned = x, own = x, ...twins] = weights;
    const halves = everyHalf.subarray(0x3c00, 0x3c00 + 80);
    const half = builder.op('Cast', [builder.weight('half', tensorOf('float16', [8, 10], halves))], { to: 1 });
    const products = [turned, ...twins].map((w) =>
      builder.op('MatMul', [x, builder.op('Transpose', [w], { perm: [1, 0] })]),
    );
    const more = [builder.op('Gemm', [x, own], { transB: 1 }), builder.op('MatMul', [x, half])];
    const graph = builder.freeze([builder.op('Sum', [...products, ...more], {}, 'y')]);
    const normal = normalized(graph);
    const kept = keptAs(graph, normal);
    const shapes = [...kept].map(([name, { weight, turned: isOver }]) => [
      name,
      normal.weights.get(weight)?.dims,
      isOver,
    ]);
    expect(shapes).toEqual([
      ['turned', [8, 10], true],
      ['own', [10, 8], false],
      ['first', [8, 10], true],
      ['second', [8, 10], true],
      ['half', [8, 10], false],
    ]);
    expect(kept.get(value('second'))).toEqual(kept.get(value('first')));
    expect(kept.get(value('own'))?.weight).toBe('own');
  });
});

describe('training that a file brings', () => {
  it('is over: means are those that were learned', () => {
    const builder = new GraphBuilder('trained', { '': 15 });
    const x = builder.input('x', 'float32', [symbol('batch'), 2]);
    const vectors = [1, 2, 3, 4].map((n) => builder.weight(`v.${n}`, vector('float32', [n, n + 1])));
    const [y] = builder.ops('BatchNormalization', [x, ...vectors], 3, { training_mode: 1 });
    const graph = normalized(builder.freeze([y ?? x]));
    expect(graph.nodes.map(({ op, outputs, attrs }) => [op, outputs.length, attrs.training_mode])).toEqual([
      ['BatchNormalization', 1, undefined],
    ]);
  });
});

const stored = (dtype: 'float16' | 'bfloat16'): Graph => {
  const builder = new GraphBuilder('stored');
  const x = builder.input('x', 'float32', [symbol('batch'), 1 << 16]);
  const half = builder.weight('w', tensorOf(dtype, [1 << 16], everyHalf));
  return builder.freeze([builder.op('Mul', [x, builder.op('Cast', [half], { to: 1 })], {}, 'y')]);
};

/** What a half is, by its parts. */
const halfOf = (word: number): number => {
  const [sign, exponent, fraction] = [word >> 15 === 0 ? 1 : -1, (word >> 10) & 31, word & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
};

describe('weights of 16 bits', () => {
  it('are the same numbers in 32', () => {
    const graph = stored('float16');
    const wide = float32Of(normalized(graph).weights.get(value('w')) ?? vector('float32', []));
    expect(wide.every((x, word) => Object.is(x, Math.fround(halfOf(word))))).toBe(true);
    expect([wasHalved(graph), wasHalved(normalized(graph))]).toEqual([true, false]);
    const brain = float32Of(normalized(stored('bfloat16')).weights.get(value('w')) ?? vector('float32', []));
    expect(new Uint32Array(brain.buffer, brain.byteOffset).every((bits, word) => bits === word * 65_536)).toBe(true);
  });

  it('are stored as what they were, where none is rounded to nothing', () => {
    const numbers = everyHalf.filter((word) => Number.isFinite(halfOf(word)));
    const builder = new GraphBuilder('wide');
    const x = builder.input('x', 'float32', [symbol('batch'), numbers.length]);
    const w = builder.weight('w', vector('float32', Array.from(numbers, halfOf)));
    const graph = storedAsHalves(builder.freeze([builder.op('Mul', [x, w], {}, 'y')]));
    const [[name, half] = []] = graph.weights;
    expect([name, half?.dtype, operatorsOf(graph)]).toEqual(['w/float16', 'float16', { Cast: 1, Mul: 1 }]);
    expect(half !== undefined && arrayOf({ ...half, dtype: 'float16' }).every((word, i) => word === numbers[i])).toBe(
      true,
    );
  });

  it('are the nearest of those that there are, and the even one in the middle', () => {
    const [one, small] = [2 ** -10, 2 ** -24];
    const near = [
      1 + 0.4 * one,
      1 + 0.6 * one,
      1 + 0.5 * one,
      1 + 1.5 * one,
      0.5 * small,
      0.6 * small,
      1.5 * small,
      -65_519,
    ];
    const builder = new GraphBuilder('near');
    const x = builder.input('x', 'float32', [symbol('batch'), 1024]);
    const w = builder.weight(
      'w',
      vector(
        'float32',
        Array.from({ length: 1024 }, (_, i) => near[i] ?? 0),
      ),
    );
    const wide = normalized(storedAsHalves(builder.freeze([builder.op('Mul', [x, w], {}, 'y')])));
    const [tensor] = wide.weights.values();
    expect(numbersOf(tensor ?? vector('float32', [])).slice(0, near.length)).toEqual([
      ...[1, 1 + one, 1, 1 + 2 * one, 0, small, 2 * small, -65_504],
    ]);
  });

  it('stay floats where one is too large, or few are there', () => {
    const wide = (numbers: readonly number[]): Graph => {
      const builder = new GraphBuilder('wide');
      const x = builder.input('x', 'float32', [symbol('batch'), numbers.length]);
      return builder.freeze([builder.op('Mul', [x, builder.weight('w', vector('float32', numbers))], {}, 'y')]);
    };
    const many = Array.from({ length: 2048 }, (_, i) => i);
    for (const numbers of [
      [...many, 65_520],
      [1, 2, 3],
    ]) {
      const graph = wide(numbers);
      expect(storedAsHalves(graph)).toBe(graph);
    }
    expect(storedAsHalves(wide(many))).not.toBe(wide(many));
  });
});

describe('the end of an axis', () => {
  it('is as far as a file says, to the last integer', () => {
    const builder = new GraphBuilder('end', { '': 9 });
    const x = builder.input('x', 'float32', [symbol('batch'), 4]);
    const exact = { kind: 'ints', value: [2 ** 63], exact: [2n ** 63n - 2n] } as const;
    const attrs = { starts: { kind: 'ints', value: [1] }, ends: exact, axes: { kind: 'ints', value: [1] } } as const;
    builder.add({ op: 'Slice', domain: '', name: 's', inputs: [x], outputs: [value('s')], attrs });
    const graph = normalized(builder.freeze([builder.op('Neg', [value('s') as Value], {}, 'y')]));
    const ends = graph.nodes.find(({ op }) => op === 'Slice')?.inputs[2];
    const tensor = ends == null ? undefined : graph.weights.get(ends);
    expect(tensor !== undefined && arrayOf({ ...tensor, dtype: 'int64' })).toEqual(BigInt64Array.of(2n ** 63n - 2n));
  });
});
