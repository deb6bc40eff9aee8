import { describe, expect, it } from 'vitest';
import type { HostTensor } from '../../engine/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { differentiate } from '../../graph/differentiate.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import { type Elements, type Feeds, relativeError, runnerOf, runOnce, slopes } from './gradient-rig.ts';

/** Five-point differences in float64. */
const TOLERANCE = 1e-7;
const NONE = Number.NEGATIVE_INFINITY;
const ENDLESS = Number.POSITIVE_INFINITY;

interface Ports {
  readonly x: Value;
  readonly w: Value;
  /** True where an element counts. */
  readonly mask: Value;
}
type Emitted = (builder: GraphBuilder, ports: Ports) => Value;

const zero = (b: GraphBuilder): Value => b.scalar('float64', 0);
const one = (b: GraphBuilder): Value => b.scalar('float64', 1);
const kept = (b: GraphBuilder, { mask }: Ports, y: Value): Value => b.op('Where', [mask, y, zero(b)]);
const dropped = (b: GraphBuilder, { mask }: Ports, y: Value): Value =>
  b.op('Where', [b.op('Not', [mask]), b.scalar('float64', 3), y]);

const numbers = (data: readonly number[], dims: readonly number[] = [2, 3]): HostTensor => ({
  dtype: 'float64',
  dims,
  data: Float64Array.from(data),
});

const built = (emitted: Emitted, opset: number): Graph => {
  const builder = new GraphBuilder('masked', { '': opset, 'com.microsoft': 1 });
  const [x, w] = [builder.input('x', 'float64', [2, 3]), builder.input('w', 'float64', [2, 3])];
  const mask = builder.input('mask', 'bool', [2, 3]);
  const y = emitted(builder, { x, w, mask });
  const share = builder.constant({
    dtype: 'float64',
    dims: [2, 3],
    bytes: { length: 48, read: () => new Uint8Array(Float64Array.of(0.7, -1.3, 0.4, 1.1, -0.6, 0.9).buffer) },
  });
  const loss = builder.op('ReduceSum', [builder.op('Mul', [y, share])], { keepdims: 0 });
  const gradients = differentiate(builder, loss, [x, w]);
  return builder.freeze([loss, ...[x, w].map((v) => gradients.get(v) ?? builder.op('Mul', [v, zero(builder)]))]);
};

const weights = numbers([0.3, -0.8, 1.2, 0.9, -1.1, 0.5]);
/** Each second row or element is left out. */
const alternate = { dtype: 'bool', dims: [2, 3], data: Uint8Array.of(1, 0, 1, 0, 1, 0) } as const;
const firstRow = { dtype: 'bool', dims: [2, 3], data: Uint8Array.of(1, 1, 1, 0, 0, 0) } as const;

const expectSlopes = async (emitted: Emitted, feeds: Feeds, opset = 20): Promise<void> => {
  const graph = built(emitted, opset);
  const found = await runOnce(graph, feeds);
  expect(found[0]?.every(Number.isFinite), 'the loss is a number').toBe(true);
  const runner = await runnerOf({ ...graph, outputs: graph.outputs.slice(0, 1) });
  try {
    for (const [position, name] of ['x', 'w'].entries()) {
      if (!graph.inputs.some((input) => input === name)) continue;
      const reference: Elements = await slopes(runner, feeds, name);
      const gradient = found[position + 1] ?? [];
      expect(gradient.every(Number.isFinite), `gradient of ${name}: ${gradient.join(', ')}`).toBe(true);
      expect(relativeError(gradient, reference), name).toBeLessThan(TOLERANCE);
    }
  } finally {
    await runner.release();
  }
};

/** Functions of x that are infinite, no number or infinitely steep where the mask leaves them out. */
const elements: readonly (readonly [string, number, Emitted])[] = [
  ['a root of zero', 0, (b, { x }) => b.op('Sqrt', [x])],
  ['a root of a negative number', -1, (b, { x }) => b.op('Sqrt', [x])],
  ['a logarithm of zero', 0, (b, { x }) => b.op('Log', [x])],
  ['a logarithm of a negative number', -2, (b, { x }) => b.op('Log', [x])],
  ['a reciprocal of zero', 0, (b, { x }) => b.op('Reciprocal', [x])],
  ['a quotient over zero', 0, (b, { x, w }) => b.op('Div', [w, x])],
  ['zero over zero', 0, (b, { x }) => b.op('Div', [x, b.op('Mul', [x, x])])],
  ['a power below one of zero', 0, (b, { x }) => b.op('Pow', [x, b.scalar('float64', 0.5)])],
  ['a negative power of zero', 0, (b, { x }) => b.op('Pow', [x, b.scalar('float64', -2)])],
  ['a computed power of zero', 0, (b, { x, w }) => b.op('Pow', [x, b.op('Mul', [w, w])])],
  ['a power of a negative number', -1.5, (b, { x, w }) => b.op('Pow', [x, w])],
  ['an exponential beyond numbers', 1e4, (b, { x }) => b.op('Exp', [x])],
  ['a product with infinity', ENDLESS, (b, { x, w }) => b.op('Mul', [x, w])],
  ['a product with an exponential', 1e4, (b, { x, w }) => b.op('Mul', [b.op('Exp', [x]), w])],
  ['a product with a logarithm', 0, (b, { x, w }) => b.op('Mul', [b.op('Log', [x]), w])],
  ['x log x', 0, (b, { x }) => b.op('Mul', [x, b.op('Log', [x])])],
  ['a softplus written out', 1e4, (b, { x }) => b.op('Log', [b.op('Add', [b.op('Exp', [x]), one(b)])])],
  [
    'a sigmoid written out',
    NONE,
    (b, { x }) => b.op('Div', [one(b), b.op('Add', [one(b), b.op('Exp', [b.op('Neg', [x])])])]),
  ],
  [
    'a chain',
    0,
    (b, { x, w }) =>
      b.op('Tanh', [b.op('Mul', [b.op('Sqrt', [b.op('Mul', [b.op('Log', [b.op('Exp', [x])]), x])]), w])]),
  ],
];

const masks: readonly (readonly [
  string,
  Emitted extends (...args: infer A) => Value ? (...args: [A[0], A[1], Value]) => Value : never,
])[] = [
  ['chosen', kept],
  ['replaced', dropped],
  [
    'chosen behind a shape',
    (b, ports, y) => b.op('Reshape', [kept(b, ports, b.op('Reshape', [y, b.ints([2, 3])])), b.ints([2, 3])]),
  ],
  ['chosen behind a sum', (b, ports, y) => kept(b, ports, b.op('Add', [y, ports.w]))],
  ['chosen behind a product', (b, ports, y) => kept(b, ports, b.op('Mul', [y, ports.w]))],
];

describe('no gradient flows through what is left out', () => {
  for (const [how, masked] of masks) {
    it.each(elements)(`${how}: %s`, async (_, bad, emitted) => {
      const data = [0.8, bad, 1.7, bad, 0.4, bad];
      await expectSlopes((b, ports) => masked(b, ports, emitted(b, ports)), {
        x: numbers(data),
        w: weights,
        mask: alternate,
      });
    });
  }

  it.each(elements)('cut off: %s', async (_, bad, emitted) => {
    const cut: Emitted = (b, ports) => {
      const row = b.op('Slice', [emitted(b, ports), b.ints([0]), b.ints([1])]);
      return b.op('Concat', [row, b.op('Mul', [row, row])], { axis: 0 });
    };
    const feeds = { x: numbers([0.8, 0.3, 1.7, bad, bad, bad]), w: weights, mask: alternate };
    await expectSlopes(cut, feeds);
    await expectSlopes((b, ports) => {
      const row = b.op('Gather', [emitted(b, ports), b.ints([0])]);
      return b.op('Concat', [row, row], { axis: 0 });
    }, feeds);
  });

  it.each([
    [
      'a reciprocal beside a smaller number',
      [0, 0.3, 1.7, 0, 0.2, 2],
      (b, { x }) => b.op('Min', [b.op('Reciprocal', [b.op('Mul', [x, x])]), b.scalar('float64', 100)]),
    ],
    [
      'a root of what is negative, made zero',
      [-1, 0.3, 1.7, -2, 0.2, 2],
      (b, { x }) => b.op('Sqrt', [b.op('Relu', [x])]),
    ],
    ['a root of what is bounded', [-1, 0.3, 1.7, -2, 0.2, 2], (b, { x }) => b.op('Sqrt', [b.op('Clip', [x, zero(b)])])],
    [
      'an exponential bounded above',
      [1e4, 0.3, 1.7, 2e4, 0.2, 2],
      (b, { x }) => b.op('Clip', [b.op('Exp', [x]), null, b.scalar('float64', 50)]),
    ],
    ['the zeroth power', [0, 0.3, -1.7, 0, 0.2, 2], (b, { x }) => b.op('Pow', [x, zero(b)])],
    [
      'whole powers of zero',
      [0, 0, 0, 0.4, -0.5, 0.6],
      (b, { x }) =>
        b.op('Pow', [
          x,
          b.constant({
            dtype: 'int64',
            dims: [3],
            bytes: { length: 24, read: () => new Uint8Array(BigInt64Array.of(0n, 1n, 2n).buffer) },
          }),
        ]),
    ],
    [
      'a sum of exponentials of which none counts',
      [NONE, NONE, NONE, 0.4, -0.5, 0.6],
      (b, { x, w }) => b.op('Mul', [b.op('Exp', [b.op('ReduceLogSumExp', [x, b.ints([1])])]), w]),
    ],
  ] as const satisfies readonly (readonly [string, readonly number[], Emitted])[])(
    'bounded: %s',
    async (_, data, emitted) => {
      await expectSlopes(emitted, { x: numbers(data), w: weights, mask: alternate });
    },
  );
});

describe('a logarithm of nothing that a bound replaces', () => {
  it.each([
    ['Clip', (b: GraphBuilder, y: Value) => b.op('Clip', [y, b.scalar('float64', -100)])],
    ['Max', (b: GraphBuilder, y: Value) => b.op('Max', [y, b.scalar('float64', -100)])],
  ] as const)('has no gradient: %s', async (_, bound) => {
    const graph = built((b, { x }) => bound(b, b.op('Log', [x])), 20);
    const [, dx] = await runOnce(graph, { x: numbers([0, 1, 1, 0, 1, 1]), w: weights, mask: alternate });
    expect(dx?.map((d) => Number(d.toFixed(9)))).toEqual([0, -1.3, 0.4, 0, -0.6, 0.9]);
  });
});

const notNumber = (b: GraphBuilder, p: Value): Value => b.op('IsNaN', [p]);
/** How exports put zeros in the place of attention that sees nothing. */
const guards: readonly (readonly [string, (b: GraphBuilder, p: Value) => Value])[] = [
  ['IsNaN', (b, p) => b.op('Where', [notNumber(b, p), zero(b), p])],
  ['not IsNaN', (b, p) => b.op('Where', [b.op('Not', [notNumber(b, p)]), p, zero(b)])],
  ['equal to itself', (b, p) => b.op('Where', [b.op('Equal', [p, p]), p, zero(b)])],
  ['IsNaN and dropout', (b, p) => b.op('Mul', [b.op('Where', [notNumber(b, p), zero(b), p]), b.scalar('float64', 2)])],
  [
    'IsNaN behind a factor',
    (b, p) => {
      const scaled = b.op('Mul', [p, b.scalar('float64', 2)]);
      return b.op('Where', [notNumber(b, scaled), zero(b), scaled]);
    },
  ],
  [
    'IsNaN behind a shape',
    (b, p) => {
      const shaped = b.op('Reshape', [p, b.ints([3, 2])]);
      return b.op('Reshape', [b.op('Where', [notNumber(b, shaped), zero(b), shaped]), b.ints([2, 3])]);
    },
  ],
];

const normalizers: readonly (readonly [string, (b: GraphBuilder, x: Value) => Value])[] = [
  ['Softmax', (b, x) => b.op('Softmax', [x], { axis: -1 })],
  ['LogSoftmax', (b, x) => b.op('LogSoftmax', [x], { axis: -1 })],
  ['an exponential of LogSoftmax', (b, x) => b.op('Exp', [b.op('LogSoftmax', [x], { axis: -1 })])],
];

/** Scores of two queries for three keys: the second sees none. */
const scores = numbers([0.2, -0.7, 1.1, NONE, NONE, NONE]);

describe('attention of a text that sees nothing', () => {
  for (const [name, normalized] of normalizers) {
    it.each(guards)(`${name} whose gaps are filled: %s`, async (_, guard) => {
      const emitted: Emitted = (b, { x, w }) => b.op('MatMul', [guard(b, normalized(b, x)), b.op('Transpose', [w])]);
      const wide: Emitted = (b, ports) =>
        b.op(
          'Concat',
          [emitted(b, ports), b.op('Neg', [b.op('Slice', [emitted(b, ports), b.ints([0]), b.ints([1]), b.ints([1])])])],
          { axis: 1 },
        );
      await expectSlopes(wide, { x: scores, w: weights, mask: alternate });
    });

    it(`${name} that a mask leaves out`, async () => {
      await expectSlopes((b, ports) => b.op('Mul', [kept(b, ports, normalized(b, ports.x)), ports.w]), {
        x: scores,
        w: weights,
        mask: firstRow,
      });
    });

    it(`${name} at an older operator set`, async () => {
      await expectSlopes(
        (b, { x, w }) =>
          b.op('Mul', [
            guards[0]?.[1](b, b.op(name === 'Softmax' ? 'Softmax' : 'LogSoftmax', [x], { axis: 1 })) ?? x,
            w,
          ]),
        { x: scores, w: weights, mask: firstRow },
        12,
      );
    });
  }

  it('Softmax whose gaps are filled behind the product with the values', async () => {
    await expectSlopes(
      (b, { x, w }) => {
        const values = b.op('Transpose', [w]); // (3, 2)
        const mixed = b.op('MatMul', [b.op('Softmax', [x]), values]); // (2, 2)
        const filled = b.op('Where', [notNumber(b, mixed), zero(b), mixed]);
        return b.op('MatMul', [filled, w]);
      },
      { x: scores, w: weights, mask: alternate },
    );
  });

  it('Softmax of scores that a mask of -Infinity is added to', async () => {
    await expectSlopes(
      (b, ports) => {
        const bias = b.op('Where', [ports.mask, zero(b), b.scalar('float64', NONE)]);
        const p = b.op('Softmax', [b.op('Add', [b.op('Mul', [ports.x, ports.w]), bias])]);
        return b.op('Mul', [b.op('Where', [notNumber(b, p), zero(b), p]), ports.x]);
      },
      { x: numbers([0.2, -0.7, 1.1, 0.4, 0.3, -0.2]), w: weights, mask: firstRow },
    );
  });

  it('costs nothing where nobody asks for gaps: two chosen scores and no fill', () => {
    const count = (guard: boolean): number => {
      const graph = built((b, ports) => {
        const p = b.op('Softmax', [b.op('Where', [ports.mask, ports.x, b.scalar('float64', -1e9)])]);
        return b.op('Mul', [guard ? b.op('Where', [notNumber(b, p), zero(b), p]) : p, ports.w]);
      }, 20);
      return graph.nodes.filter(({ op }) => op === 'IsNaN' || op === 'Cast').length;
    };
    expect(count(false)).toBe(0);
    expect(count(true)).toBeGreaterThan(1);
  });

  it('stays no number where nothing fills it', async () => {
    const graph = built((b, { x, w }) => b.op('Mul', [b.op('Softmax', [x]), w]), 20);
    const [, dx] = await runOnce(graph, { x: scores, w: weights, mask: alternate });
    expect(dx?.slice(3).every(Number.isNaN)).toBe(true);
  });
});

describe('a norm of nothing', () => {
  it('has no direction: the gradient of ReduceL2 is zero there', async () => {
    const graph = built((b, { x, w }) => b.op('Mul', [b.op('ReduceL2', [x, b.ints([1])]), w]), 20);
    const [, dx] = await runOnce(graph, { x: numbers([0, 0, 0, 3, 0, 4]), w: weights, mask: alternate });
    expect(dx?.slice(0, 3)).toEqual([0, 0, 0]);
    expect(dx?.slice(3).every((d) => Number.isFinite(d))).toBe(true);
  });
});
