import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import type { HostTensor } from '../../engine/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { symbol } from '../../graph/dim.ts';
import { type Graph, value } from '../../graph/graph.ts';
import { int8Static } from '../../graph/quantize/formats/int8-static.ts';
import { quantizeWeights } from '../../graph/quantize/index.ts';
import { fixedPointOf, inSteps, type Range } from '../../graph/quantize/range.ts';
import { quantizeMatrix, widenedMatrix } from '../../graph/quantize/weights.ts';
import { arrayOf, tensorOf } from '../../graph/tensor.ts';
import { operatorsOf, outputsOf } from './rewrite-run.ts';

const numbers = (count: number, seed: number): Float32Array<ArrayBuffer> => {
  const random = stream(seed, 'fixed');
  return Float32Array.from({ length: count }, () => random.normal());
};

const [WIDTH, OUTPUTS] = [64, 80];

/** y = x W, x W + b or Gemm, and a head behind it whose matrix stays in float. */
const product = (kind: 'bare' | 'biased' | 'gemm', opset = 17): Graph => {
  const builder = new GraphBuilder('product', { '': opset });
  const x = builder.input('x', 'float32', [symbol('rows'), WIDTH]);
  const dims = kind === 'gemm' ? [OUTPUTS, WIDTH] : [WIDTH, OUTPUTS];
  const w = builder.weight('w', tensorOf('float32', dims, numbers(WIDTH * OUTPUTS, 1)));
  const b = builder.weight('b', tensorOf('float32', [OUTPUTS], numbers(OUTPUTS, 2)));
  const y =
    kind === 'gemm'
      ? builder.op('Gemm', [x, w, b], { transB: 1 })
      : kind === 'bare'
        ? builder.op('MatMul', [x, w])
        : builder.op('Add', [builder.op('MatMul', [x, w]), b]);
  return builder.freeze([builder.op('Relu', [y], {}, 'y')]);
};

/** The same by definition: both rounded, multiplied as floats. */
const byDefinition = (graph: Graph, x: Float32Array, range: Range): number[] => {
  const tensor = graph.weights.get(value('w'));
  if (tensor === undefined) throw new Error('the graph has a matrix');
  const axis = tensor.dims[0] === WIDTH ? 'columns' : 'rows';
  const w = arrayOf({ ...widenedMatrix(quantizeMatrix('w', tensor, axis, 127), axis), dtype: 'float32' });
  const bias = graph.weights.get(value('b'));
  const added = bias === undefined ? new Float32Array(OUTPUTS) : arrayOf({ ...bias, dtype: 'float32' });
  const point = fixedPointOf(range);
  const isBare = graph.nodes.every(({ op }) => op !== 'Add' && op !== 'Gemm');
  return Array.from({ length: (x.length / WIDTH) * OUTPUTS }, (_, i) => {
    const [row, output] = [Math.floor(i / OUTPUTS), i % OUTPUTS];
    let sum = isBare ? 0 : (added[output] ?? 0);
    for (let k = 0; k < WIDTH; k++) {
      const own = axis === 'columns' ? w[k * OUTPUTS + output] : w[output * WIDTH + k];
      sum += inSteps(x[row * WIDTH + k] ?? 0, point) * (own ?? Number.NaN);
    }
    return Math.max(0, sum);
  });
};

const fed = (x: Float32Array): { readonly x: HostTensor } => ({
  x: { dtype: 'float32', dims: [x.length / WIDTH, WIDTH], data: x },
});

const fixed = (graph: Graph, range: Range): Graph =>
  quantizeWeights(graph, { format: int8Static, minimumElements: 1, ranges: new Map([[value('x'), range]]) }).graph;

describe('8 bits of ranges known beforehand', () => {
  it.each(['bare', 'biased', 'gemm'] as const)('multiply as rounded floats do: %s', async (kind) => {
    const graph = product(kind);
    const x = numbers(3 * WIDTH, 5);
    for (const range of [
      { low: -4, high: 4 },
      { low: -0.5, high: 2 },
      { low: 0, high: 3 },
    ]) {
      const [y] = await outputsOf(fixed(graph, range), fed(x));
      const expected = byDefinition(graph, x, range);
      const size = Math.max(...expected);
      expected.forEach((one, i) => {
        expect(Math.abs((y?.[i] ?? Number.NaN) - one) / size).toBeLessThan(1e-5);
      });
    }
  });

  it('answer a row the same alone and among others', async () => {
    const graph = fixed(product('biased'), { low: -3, high: 3 });
    const x = numbers(4 * WIDTH, 6);
    const [all] = await outputsOf(graph, fed(x));
    const [alone] = await outputsOf(graph, fed(x.slice(WIDTH, 2 * WIDTH)));
    // No neighbour moves a range; sums may be taken in another order.
    (all ?? []).slice(OUTPUTS, 2 * OUTPUTS).forEach((y, i) => {
      expect(alone?.[i]).toBeCloseTo(y, 3);
    });
  });

  it('are written in standard operators, an activation rounded once for all that read it', () => {
    const builder = new GraphBuilder('shared', { '': 17 });
    const x = builder.input('x', 'float32', [symbol('rows'), WIDTH]);
    const matrix = (name: string, seed: number) =>
      builder.weight(name, tensorOf('float32', [WIDTH, OUTPUTS], numbers(WIDTH * OUTPUTS, seed)));
    const sum = builder.op('Add', [
      builder.op('MatMul', [x, matrix('v', 1)]),
      builder.op('MatMul', [x, matrix('w', 2)]),
    ]);
    const graph = fixed(builder.freeze([builder.op('Relu', [sum])]), { low: -1, high: 1 });
    expect(operatorsOf(graph)).toMatchObject({ QuantizeLinear: 1, DequantizeLinear: 3, MatMul: 2 });
    expect(graph.nodes.every(({ domain }) => domain === '')).toBe(true);
  });

  it('need a range, and steps a column', () => {
    expect(() => quantizeWeights(product('bare'), { format: int8Static })).toThrow(
      "nothing is known of the range of 'x': texts have to be read for it",
    );
    expect(() => fixed(product('bare', 12), { low: 0, high: 1 })).toThrow('has operator set 12; quantization needs 13');
  });

  it('keep every number of a range within half a step, zero as it is, and clip others', () => {
    const ends = fc.double({ min: 0, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(ends, ends, fc.double({ min: -2, max: 2, noNaN: true }), (down, up, at) => {
        const range = { low: -down, high: up };
        const point = fixedPointOf(range);
        const x = at < 0 ? at * down : at * up;
        const near = inSteps(x, point);
        expect(inSteps(0, point)).toBe(0);
        // The ends move by as much as zero does to be a whole step.
        if (Math.abs(at) <= 1) expect(Math.abs(near - x)).toBeLessThanOrEqual(point.step * 1.01);
        else expect(Math.abs(near)).toBeLessThanOrEqual(Math.max(down, up) + point.step);
      }),
    );
  });
});
