import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { decodeGraph, encodeGraph } from '../../graph/codec/index.ts';
import { concreteView } from '../../graph/concrete.ts';
import { applyCuts, followCut, isRefusal } from '../../graph/cut/index.ts';
import { symbol } from '../../graph/dim.ts';
import { type Graph, type Value, value } from '../../graph/graph.ts';
import { tensorOf, vector } from '../../graph/tensor.ts';
import { isUserError } from '../../ground/errors.ts';
import { maskWeights, shaken } from './cut-rig.ts';

const [BATCH, LENGTH, WIDTH, HEADS, HEAD] = [2, 3, 4, 3, 2];
const HIDDEN = HEADS * HEAD;
const TOLERANCE = 1e-6;

const matrix = (b: GraphBuilder, name: string, dims: readonly number[]): Value =>
  b.weight(name, tensorOf('float32', dims, new Float32Array(dims.reduce((x, y) => x * y))));

/** Hidden states (batch, sequence, hidden) through something that holds sizes, and what reads it. */
type Emitted = (b: GraphBuilder, hidden: Value, fixed: boolean) => Value;

const graphOf = (emitted: Emitted, fixed: boolean): Graph => {
  const b = new GraphBuilder('sizes', { '': 20 });
  const shape = fixed ? [BATCH, LENGTH, WIDTH] : [symbol('batch'), symbol('sequence'), WIDTH];
  const hidden = b.op('MatMul', [b.input('x', 'float32', shape), matrix(b, 'first', [WIDTH, HIDDEN])], {}, 'hidden');
  const z = emitted(b, hidden, fixed);
  const last = b.type(z).shape?.at(-1);
  const y = b.op('MatMul', [z, matrix(b, 'last', [typeof last === 'number' ? last : HIDDEN, 2])]);
  return shaken(b.freeze([b.op('Identity', [y], {}, 'y')]));
};

const outputOf = async (graph: Graph): Promise<readonly number[]> => {
  const program = await cpuEngine.compile(graph, { threads: 1, optimization: 'none' });
  const data = Float32Array.from({ length: BATCH * LENGTH * WIDTH }, (_, i) => Math.cos(i));
  const { y } = await program.run({ x: { dtype: 'float32', dims: [BATCH, LENGTH, WIDTH], data } });
  await program.release();
  return Array.from(y?.data ?? [], Number);
};

const sizesOf = (b: GraphBuilder, x: Value, count: number): Value => b.op('Shape', [x], { start: 0, end: count });
const joined = (b: GraphBuilder, ...parts: readonly Value[]): Value => b.op('Concat', parts, { axis: 0 });
const leading = (b: GraphBuilder, x: Value, fixed: boolean): Value =>
  fixed ? b.ints([BATCH, LENGTH]) : sizesOf(b, x, 2);

/** Splits into heads by a shape and joins them again by another. */
const heads =
  (split: (b: GraphBuilder, x: Value, fixed: boolean) => Value, join: typeof split, attrs = {}): Emitted =>
  (b, x, fixed) => {
    const parts = b.op('Reshape', [x, split(b, x, fixed)], attrs);
    return b.op('Reshape', [b.op('Relu', [parts]), join(b, parts, fixed)], attrs);
  };

const zeros = { allowzero: 1 };
const computed = heads(
  (b, x, fixed) => joined(b, leading(b, x, fixed), b.ints([HEADS, HEAD])),
  (b, x, fixed) => joined(b, leading(b, x, fixed), b.ints([HIDDEN])),
  zeros,
);

const cases: readonly (readonly [string, Emitted])[] = [
  [
    'Reshape that copies sizes',
    heads(
      (b) => b.ints([0, 0, HEADS, HEAD]),
      (b) => b.ints([0, 0, HIDDEN]),
    ),
  ],
  [
    'Reshape with what is left',
    heads(
      (b) => b.ints([0, 0, -1, HEAD]),
      (b) => b.ints([0, 0, -1]),
    ),
  ],
  [
    'Reshape with sizes that are computed',
    heads(
      (b, x, fixed) => joined(b, leading(b, x, fixed), b.ints([HEADS, HEAD])),
      (b, x, fixed) => joined(b, leading(b, x, fixed), b.ints([HIDDEN])),
    ),
  ],
  ['Reshape where zeros are sizes, computed', computed],
  [
    'Reshape where zeros are sizes, with what is left',
    heads(
      (b, x) => joined(b, sizesOf(b, x, 1), b.ints([-1, HEADS, HEAD])),
      (b, x) => joined(b, sizesOf(b, x, 1), b.ints([-1, HIDDEN])),
      zeros,
    ),
  ],
  [
    'Reshape where zeros are sizes, without symbols',
    (b, x, fixed) =>
      fixed
        ? heads(
            () => b.ints([BATCH, LENGTH, HEADS, HEAD]),
            () => b.ints([BATCH, LENGTH, HIDDEN]),
            zeros,
          )(b, x, fixed)
        : computed(b, x, fixed),
  ],
  ['Flatten', (b, x) => b.op('Flatten', [x], { axis: 2 })],
  [
    'Expand of a row',
    (b, x) => b.op('Add', [x, b.op('Expand', [matrix(b, 'row', [1, HIDDEN]), b.ints([1, 1, HIDDEN])])]),
  ],
  ['Expand that leaves sizes alone', (b, x) => b.op('Expand', [x, b.ints([1, 1, 1])])],
  [
    'Expand to the shape of another',
    (b, x) => b.op('Add', [x, b.op('Expand', [matrix(b, 'row', [1, HIDDEN]), b.op('Shape', [x])])]),
  ],
  [
    'ConstantOfShape',
    (b, x) => b.op('Mul', [x, b.op('ConstantOfShape', [b.ints([HIDDEN])], { value: vector('float32', [2]) })]),
  ],
  [
    'Slice to the end',
    (b, x) => b.op('Slice', [x, b.ints([0]), b.constant(vector('int64', [2n ** 63n - 1n])), b.ints([2])]),
  ],
  ['Slice of a half', (b, x) => b.op('Slice', [x, b.ints([2]), b.ints([HIDDEN]), b.ints([-1])])],
  ['Slice from the end', (b, x) => b.op('Slice', [x, b.ints([-4]), b.ints([-1]), b.ints([2])])],
  [
    'Slice backwards',
    (b, x) => b.op('Slice', [x, b.ints([-1]), b.constant(vector('int64', [-(2n ** 63n)])), b.ints([2]), b.ints([-1])]),
  ],
  [
    'Split in halves and Concat',
    (b, x) => b.op('Concat', b.ops('Split', [x], 2, { axis: -1, num_outputs: 2 }).toReversed(), { axis: -1 }),
  ],
  [
    'Split by sizes',
    (b, x) => b.op('Concat', b.ops('Split', [x, b.ints([2, 1, 3])], 3, { axis: 2 }).toReversed(), { axis: 2 }),
  ],
  ['Tile', (b, x) => b.op('Tile', [x, b.ints([1, 1, 2])])],
  ['Pad', (b, x) => b.op('Pad', [x, b.ints([0, 0, 1, 0, 0, 2])])],
  ['Pad of a named axis', (b, x) => b.op('Pad', [x, b.ints([1, 0]), null, b.ints([2])])],
  ['Gather of constants', (b, x) => b.op('Gather', [x, b.ints([-1, 0, 3])], { axis: 2 })],
  [
    'Gather of a part of a shape',
    (b, x) => {
      const width = b.op('Gather', [b.op('Shape', [x]), b.ints([2])]);
      return b.op('Reshape', [x, joined(b, b.ints([0, 0]), width)]);
    },
  ],
];

/** What was refused before shapes that are computed were written anew. */
const expanded: readonly (readonly [string, Emitted])[] = [
  [
    'Expand to sizes and a number',
    (b, x, fixed) =>
      b.op('Add', [x, b.op('Expand', [matrix(b, 'row', [HIDDEN]), joined(b, leading(b, x, fixed), b.ints([HIDDEN]))])]),
  ],
  [
    'Tile as often as sizes say',
    (b, x, fixed) => {
      const times = b.op('Div', [leading(b, x, fixed), leading(b, x, fixed)]);
      return b.op('Tile', [x, joined(b, times, b.ints([1]))]);
    },
  ],
];

const KEPT = [0, 2];

describe('sizes that a graph holds follow a cut', () => {
  for (const fixed of [false, true]) {
    it.each([...cases, ...expanded])(`${fixed ? 'numbers' : 'symbols'}: %s`, async (_, emitted) => {
      const graph = graphOf(emitted, fixed);
      const group = followCut(graph, { value: value('hidden'), axis: 2 });
      if (isRefusal(group)) throw new Error(group.refused);
      const kept = [...Array(group.units).keys()].filter((unit) => KEPT.includes(unit) || unit > 3);
      expect(kept.length).toBeLessThan(group.units);
      const cut = applyCuts(graph, [group], [kept]);
      const dense = await outputOf(maskWeights(graph, [group], [kept]));
      for (const one of [cut, decodeGraph(encodeGraph(cut))]) {
        const found = await outputOf(one);
        expect(found).toHaveLength(dense.length);
        expect(Math.max(...dense.map((x, i) => Math.abs(x - (found[i] ?? Number.NaN))))).toBeLessThan(TOLERANCE);
      }
    });
  }

  it('also where no symbol tells them, in a view at sizes that are numbers', async () => {
    const graph = graphOf((b, x) => {
      const windows = b.op('Div', [sizesOf(b, x, 1), b.ints([2])]);
      const parts = b.op('Reshape', [x, joined(b, windows, b.ints([2, -1, HEADS, HEAD]))]);
      return b.op('Reshape', [b.op('Relu', [parts]), joined(b, sizesOf(b, x, 2), b.ints([HIDDEN]))]);
    }, false);
    const view = concreteView(graph, { batch: 10, sequence: 7 });
    const group = followCut(view, { value: value('hidden'), axis: 2 });
    if (isRefusal(group)) throw new Error(group.refused);
    const kept = [0, 2];
    const cut = applyCuts(graph, [group], [kept], view);
    const [found, dense] = [await outputOf(cut), await outputOf(maskWeights(graph, [group], [kept]))];
    expect(Math.max(...dense.map((x, i) => Math.abs(x - (found[i] ?? Number.NaN))))).toBeLessThan(TOLERANCE);
  });

  it('or the cut is refused in words where only the run knows them', () => {
    const graph = graphOf((b, x) => {
      const some = b.op('Compress', [x, b.input('condition', 'bool', [symbol('batch')])], { axis: 0 });
      const target = joined(b, sizesOf(b, some, 2), b.ints([HIDDEN]));
      return b.op('Add', [some, b.op('Expand', [matrix(b, 'row', [HIDDEN]), target])]);
    }, false);
    const group = followCut(graph, { value: value('hidden'), axis: 2 });
    if (isRefusal(group)) throw new Error(group.refused);
    try {
      applyCuts(graph, [group], [[0, 1]]);
      expect.unreachable();
    } catch (error) {
      expect(isUserError(error)).toBe(true);
      expect(String(error)).toMatch(
        /after the cut, graph 'sizes' would not fit together: Expand '.*': shapes .* do not broadcast/,
      );
    }
  });
});
