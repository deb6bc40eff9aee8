import { describe, expect, it } from 'vitest';
import type { Engine, Feeds, HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import type { AttributeInput } from '../../graph/op.ts';
import { javascriptEngine } from './javascript.ts';

const floats = (data: readonly number[], dims: readonly number[] = [data.length]): HostTensor => ({
  ...{ dtype: 'float32', dims, data: Float32Array.from(data) },
});
const integers = (data: readonly number[], dims: readonly number[] = [data.length]): HostTensor => ({
  ...{ dtype: 'int64', dims, data: BigInt64Array.from(data, BigInt) },
});
const bytes = (...data: readonly number[]): HostTensor => ({
  ...{ dtype: 'uint8', dims: [data.length], data: Uint8Array.from(data) },
});

/** One node over inputs that are fed. */
const graphOf = (op: string, inputs: readonly HostTensor[], attrs: AttributeInput): Graph => {
  const builder = new GraphBuilder('edges');
  const fed = inputs.map(({ dtype, dims }, i): Value => builder.input(`x${i}`, dtype, dims));
  return builder.freeze([builder.op(op, fed, attrs, 'y')]);
};

const resultOn = async (engine: Engine, op: string, inputs: readonly HostTensor[], attrs: AttributeInput = {}) => {
  const program = await engine.compile(graphOf(op, inputs, attrs), { threads: 1, optimization: 'none' });
  try {
    const feeds: Feeds = Object.fromEntries(inputs.map((input, i) => [`x${i}`, input]));
    return (await program.run(feeds)).y;
  } finally {
    await program.release();
  }
};

const [none, most] = [Number.NaN, Number.POSITIVE_INFINITY];
const row = (...data: readonly number[]): HostTensor => floats(data, [1, data.length]);
const three = floats([1, 2, 3, 4, 5, 6], [3, 2]);

/** An operator with its inputs and attributes. */
type Case = readonly [op: string, inputs: readonly HostTensor[], attrs?: AttributeInput];

const quotients = [-7, -6, -1, 0, 1, 6, 7, 2147483647, -2147483648].flatMap((a) => [-3, -1, 2, 7].map((b) => [a, b]));
const [dividends, divisors] = [0, 1].map((side) => integers(quotients.slice(0, -4).map((pair) => pair[side] ?? 0)));

const alike: readonly Case[] = [
  ['Sign', [floats([none, most, -most, 0, 2, -2])]],
  ['Relu', [floats([none, most, -most])]],
  ['Round', [floats([0.5, 1.5, 2.5, -0.5, -1.5, -2.5])]],
  ['Div', [dividends ?? three, divisors ?? three]],
  ['Mod', [dividends ?? three, divisors ?? three]],
  ['Mod', [floats([5.3, -4.7, -9.4]), floats([2.1, 1.7, -3.3])], { fmod: 1 }],
  ['Cast', [integers([0, 1, -1, 127, 128, 255, 256, -300])], { to: 2 }],
  ['Cast', [integers([0, 1, -1, 127, 128, 255, 256, -300])], { to: 3 }],
  ['Cast', [floats([0, 0.4, -0.4, 1.9, -1.9, 100.7])], { to: 7 }],
  ['Cast', [floats([0, 0.4, -0.4, none])], { to: 9 }],
  ['Clip', [floats([none, most, -most, 3]), floats([1], []), floats([-1], [])]],
  ...[row(most, 1, 2), row(-most, -most, -most), row(90, -90, 3), row(1e38, -1e38, 0)].flatMap((x): readonly Case[] => [
    ['Softmax', [x]],
    ['LogSoftmax', [x], { axis: 1 }],
    ['ReduceLogSumExp', [x], { keepdims: 0 }],
  ]),
  ['ArgMax', [row(3, 3, 1)], { axis: 1 }],
  ['ArgMax', [row(3, 3, 1)], { axis: 1, select_last_index: 1 }],
  ['Where', [{ dtype: 'bool', dims: [2, 1], data: Uint8Array.of(1, 0) }, row(none, 1), floats([5], [])]],
  ['ScatterElements', [three, integers([0, 0, 0, 0, 1, 1], [3, 2]), three], { axis: 0, reduction: 'add' }],
  ['OneHot', [integers([3, -1, -4, 5]), integers([3], []), floats([0, 1])]],
  ['MatMul', [floats([], [2, 0]), floats([], [0, 3])]],
  ['Concat', [floats([], [0, 2]), three], { axis: 0 }],
  ...['reflect', 'edge', 'wrap'].map((mode): Case => ['Pad', [three, integers([1, 1, 1, 1])], { mode }]),
  ['Pad', [three, integers([-1, 2, 1, -1])]],
  ['DequantizeLinear', [bytes(0, 1, 1), floats([1.25], [])]],
  ['DequantizeLinear', [bytes(0, 1, 200), floats([1.25], [])]],
  ['Unique', [integers([3, 1, 3, -2, 1])], { sorted: 0 }],
];

const outside: readonly Case[] = [
  ['Gather', [three, integers([3])]],
  ['Gather', [three, integers([-4])]],
  ['GatherElements', [three, integers([2], [1, 1])], { axis: 1 }],
  ['GatherND', [three, integers([0, 2], [1, 2])]],
  ['ScatterND', [three, integers([3], [1, 1]), row(1, 1)]],
  ['ScatterElements', [three, integers([2], [1, 1]), row(9)], { axis: 1 }],
  ['ScatterElements', [three, integers([2], [1, 1]), row(9)], { axis: 1, reduction: 'add' }],
];

const title = ([op, inputs, attrs = {}]: Case): string =>
  `${op} of ${inputs.map(({ data }) => `[${Array.from(data, String).join(' ')}]`).join(' and ')} ${JSON.stringify(attrs)}`;

describe('TensorFlow.js at the edges of numbers', () => {
  it.each(alike.map((one) => [title(one), one] as const))('is as the CPU for %s', async (_, [op, inputs, attrs]) => {
    const [ours, theirs] = [
      await resultOn(javascriptEngine(), op, inputs, attrs),
      await resultOn(cpuEngine, op, inputs, attrs),
    ];
    expect({ dtype: ours?.dtype, dims: ours?.dims }).toEqual({ dtype: theirs?.dtype, dims: theirs?.dims });
    const [found, expected] = [ours, theirs].map((tensor) => Array.from(tensor?.data ?? [], Number));
    for (const [i, number] of (expected ?? []).entries()) {
      // The two agree to the last bits; whether a zero is negative neither says.
      if (Number.isFinite(number)) expect(found?.[i]).toBeCloseTo(number, 5);
      else expect(found?.[i]).toBe(number);
    }
  });

  it.each(outside.map((one) => [title(one), one] as const))(
    'refuses as the CPU does %s',
    async (_, [op, inputs, attrs]) => {
      await expect(resultOn(cpuEngine, op, inputs, attrs)).rejects.toThrow();
      await expect(resultOn(javascriptEngine(), op, inputs, attrs)).rejects.toThrow(/index/);
    },
  );

  it('refuses integers that do not fit, with their place', async () => {
    const wide = { ...integers([0, 0]), data: BigInt64Array.of(-5n, 2n ** 31n) };
    await expect(resultOn(javascriptEngine(), 'Neg', [wide])).rejects.toThrow(
      "'x0' holds 2147483648 at index 1, which is no 32-bit integer: TensorFlow.js has no larger ones; use another engine",
    );
  });

  it('refuses types that it does not have', async () => {
    const double: HostTensor = { dtype: 'float64', dims: [1], data: Float64Array.of(1) };
    await expect(resultOn(javascriptEngine(), 'Neg', [double])).rejects.toThrow(
      "the engine tensorflow has no kernel for Neg of float64 of the graph 'edges'; use another engine",
    );
    expect(javascriptEngine().target.lacking(graphOf('Neg', [double], {}))).toEqual(['Neg of float64']);
  });
});
