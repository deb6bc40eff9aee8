import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { differentiate } from '../../graph/differentiate.ts';
import { symbol } from '../../graph/dim.ts';
import { type Graph, type Value, value } from '../../graph/graph.ts';
import { encoderFeeds, encoderLoss } from './encoder-loss.ts';
import type { Feeds } from './gradient-rig.ts';
import { type Elements, relativeError, runnerOf, runOnce, slope } from './gradient-rig.ts';

/** Five-point differences through some hundred operators in float64. */
const TOLERANCE = 1e-7;
/** Softmax ignores a shift of all scores, so key biases have gradients of rounding errors: no size to compare with. */
const NEGLIGIBLE = 1e-4;
/** Float32 through two layers and back. */
const FLOAT32_TOLERANCE = 1e-4;
/** A few operations in float64. */
const ROUNDING = 1e-14;
/** Coordinates of each weight that are compared. */
const COORDINATES = 6;

const vector = (...data: readonly number[]) =>
  ({ dtype: 'float64', dims: [data.length], data: Float64Array.from(data) }) as const;

const gradientGraph = (builder: GraphBuilder, loss: Value, wrt: readonly Value[]): Graph => {
  const gradients = differentiate(builder, loss, wrt);
  return builder.freeze([loss, ...wrt.flatMap((v) => gradients.get(v) ?? [])]);
};

const sumOf = (builder: GraphBuilder, x: Value): Value => builder.op('ReduceSum', [x], { keepdims: 0 });

describe('the loss of a whole encoder with symbolic shapes', () => {
  const exact = encoderLoss('float64');
  const wrt = [...exact.weights.keys()];
  const graph = gradientGraph(exact.builder, exact.loss, wrt);

  it.each([
    [3, 5],
    [1, 4],
    [2, 1],
  ])('has gradients that agree with differences at batch %i, length %i', async (batch, length) => {
    const feeds = encoderFeeds(exact, 'float64', batch, length);
    const runner = await runnerOf(graph);
    try {
      const [, ...gradients] = await runner.run(feeds);
      expect(gradients).toHaveLength(wrt.length);
      const floor = Math.max(...gradients.flat().map(Math.abs)) * NEGLIGIBLE;
      for (const [k, weight] of wrt.entries()) {
        const gradient = gradients[k] ?? [];
        const size = Math.max(floor, ...gradient.map(Math.abs));
        const random = stream(5, 'coordinates', weight);
        for (let i = 0; i < COORDINATES; i++) {
          const index = random.integer(gradient.length);
          const reference = await slope(runner, feeds, weight, index);
          const error = Math.abs((gradient[index] ?? Number.NaN) - reference);
          expect(error / size, `${weight}[${index}]`).toBeLessThan(TOLERANCE);
        }
      }
    } finally {
      await runner.release();
    }
  });

  it('has the same gradients in float32', async () => {
    const single = encoderLoss('float32');
    const found = await runOnce(gradientGraph(single.builder, single.loss, wrt), encoderFeeds(single, 'float32', 3, 5));
    const reference = await runOnce(graph, encoderFeeds(exact, 'float64', 3, 5));
    expect(relativeError(found.flat(), reference.flat())).toBeLessThan(FLOAT32_TOLERANCE);
  });

  it('needs no shape that is found only at run time: every gradient has the type of its weight', () => {
    const types = graph.outputs.slice(1).map((output) => graph.types.get(output)?.shape);
    expect(types).toEqual([...exact.weights.values()]);
    expect(graph.nodes.filter((node) => node.op === 'NonZero')).toEqual([]);
  });

  it('takes the gradient of every linear weight in one product over all rows', () => {
    const linears = [...exact.weights].filter(([name]) => name.endsWith('.weight')).length;
    expect(graph.nodes.filter((node) => node.op === 'Gemm')).toHaveLength(linears);
  });
});

const gradientsOf = async (builder: GraphBuilder, loss: Value, wrt: readonly Value[], feeds: Feeds) =>
  (await runOnce(gradientGraph(builder, loss, wrt), feeds)).slice(1).map((elements): Elements => elements);

describe('differentiate', () => {
  it('sums the contributions of every use', async () => {
    const builder = new GraphBuilder('uses');
    const x = builder.input('x', 'float64', [2]);
    const square = builder.op('Mul', [x, x]);
    const all = builder.op('Sum', [square, x, builder.op('Neg', [builder.op('Mul', [square, x])])]);
    // d(x^2 + x - x^3) = 2 x + 1 - 3 x^2
    expect(await gradientsOf(builder, sumOf(builder, all), [x], { x: vector(2, -1) })).toEqual([[-7, -4]]);
  });

  it('sums over axes that broadcast, leading ones and ones of size one', async () => {
    const builder = new GraphBuilder('broadcast');
    const x = builder.input('x', 'float64', [1, 2]);
    const y = builder.op('Add', [x, builder.input('ones', 'float64', [3, 4, 2])]);
    const feeds = {
      x: { ...vector(1, 2), dims: [1, 2] },
      ones: { dtype: 'float64', dims: [3, 4, 2], data: new Float64Array(24).fill(1) },
    } as const;
    expect(await gradientsOf(builder, sumOf(builder, y), [x], feeds)).toEqual([[12, 12]]);
  });

  it.each([
    [1, [4]],
    [4, [1, 1, 1, 1]],
  ])('finds out when it runs whether an axis of symbolic size was broadcast: %i', async (rows, expected) => {
    const builder = new GraphBuilder('open');
    const x = builder.input('x', 'float64', [symbol('rows')]);
    const y = builder.op('Add', [x, builder.input('other', 'float64', [symbol('columns')])]);
    const feeds = { x: vector(...new Array<number>(rows).fill(2)), other: vector(1, 2, 3, 4) };
    expect(await gradientsOf(builder, sumOf(builder, y), [x], feeds)).toEqual([expected]);
  });

  it('gives gradients of values in between', async () => {
    const builder = new GraphBuilder('between');
    const x = builder.input('x', 'float64', [2]);
    const middle = builder.op('Exp', [x]);
    const loss = sumOf(builder, builder.op('Mul', [middle, middle]));
    const [dm, dx] = await gradientsOf(builder, loss, [middle, x], { x: vector(0, 1) });
    expect(relativeError(dm ?? [], [2, 2 * Math.E])).toBeLessThan(ROUNDING);
    expect(relativeError(dx ?? [], [2, 2 * Math.E ** 2])).toBeLessThan(ROUNDING);
  });

  it('can be repeated: the second derivative of x^3 is 6 x', async () => {
    const builder = new GraphBuilder('twice');
    const x = builder.input('x', 'float64', [2]);
    const cube = sumOf(builder, builder.op('Mul', [x, builder.op('Mul', [x, x])]));
    const once = differentiate(builder, cube, [x]).get(x);
    const loss = sumOf(builder, once ?? x);
    expect(await gradientsOf(builder, loss, [x], { x: vector(2, -1) })).toEqual([[12, -6]]);
  });

  it('leaves out what does not reach the loss, and asks no operator off the path', () => {
    const builder = new GraphBuilder('paths');
    const x = builder.input('x', 'float32', [2]);
    const idle = builder.input('idle', 'float32', [2]);
    const signs = builder.op('Sign', [idle]);
    builder.ops('DynamicQuantizeLinear', [x], 3);
    const loss = sumOf(builder, builder.op('Mul', [x, signs]));
    expect([...differentiate(builder, loss, [x, idle]).keys()]).toEqual([x]);
    expect([...differentiate(builder, loss, [idle]).keys()]).toEqual([]);
  });

  it('lets a rule of the caller replace the own one of a node: straight through rounding', async () => {
    const builder = new GraphBuilder('straight through');
    const x = builder.input('x', 'float64', [2]);
    const loss = sumOf(builder, builder.op('Round', [x], {}, 'rounded'));
    const gradients = differentiate(builder, loss, [x], {
      ruleAt: (node) => (node.op === 'Round' ? (_emit, _call, [dy]) => [dy ?? null] : undefined),
    });
    const graph = builder.freeze([gradients.get(x) ?? loss]);
    expect(await runOnce(graph, { x: vector(0.2, 0.7) })).toEqual([[1, 1]]);
  });

  it('joins both gradients of a fused norm whose sum is an output of its own', async () => {
    const fused = new GraphBuilder('fused');
    const x = fused.input('x', 'float32', [2, 4]);
    const scale = fused.input('scale', 'float32', [4]);
    const weight = fused.input('weight', 'float32', [2, 4]);
    const [y, , , sum] = fused.ops('com.microsoft:SkipLayerNormalization', [x, x, scale], 4, { epsilon: 1e-5 });
    const plain = new GraphBuilder('plain');
    for (const [name, dims] of [
      ['x', [2, 4]],
      ['scale', [4]],
      ['weight', [2, 4]],
    ] as const)
      plain.input(name, 'float32', dims);
    const doubled = plain.op('Add', [x, x]);
    const normal = plain.op('LayerNormalization', [doubled, scale], { epsilon: 1e-5 });
    const feeds = Object.fromEntries(
      [x, scale, weight].map((v, i) => {
        const dims = i === 1 ? [4] : [2, 4];
        const random = stream(i, 'skip');
        return [
          v,
          {
            dtype: 'float32',
            dims,
            data: Float32Array.from({ length: i === 1 ? 4 : 8 }, () => random.normal()),
          } as const,
        ];
      }),
    );
    const lossOf = (b: GraphBuilder, norm: Value, total: Value): Value =>
      sumOf(b, b.op('Mul', [weight, b.op('Add', [norm, b.op('Mul', [total, total])])]));
    const found = await gradientsOf(fused, lossOf(fused, y ?? x, sum ?? x), [x, scale], feeds);
    const reference = await gradientsOf(plain, lossOf(plain, normal, doubled), [x, scale], feeds);
    expect(relativeError(found.flat(), reference.flat())).toBeLessThan(FLOAT32_TOLERANCE);
  });
});

describe('what cannot be differentiated is an error', () => {
  const builderWith = (op: string, domain = ''): { builder: GraphBuilder; x: Value; loss: Value } => {
    const builder = new GraphBuilder('wrong');
    const x = builder.input('x', 'float32', [2, 2]);
    const y = value('y');
    builder.add({ op, domain, name: 'odd', inputs: [x], outputs: [y], attrs: {} }, () => builder.type(x));
    return { builder, x, loss: sumOf(builder, y) };
  };

  it('an operator that decant does not know', () => {
    const { builder, x, loss } = builderWith('Shrink', 'example.org');
    expect(() => differentiate(builder, loss, [x])).toThrow(
      "cannot differentiate example.org:Shrink 'odd' at operator set 1: decant does not know this operator; " +
        'train the graph as it was before fusion or quantization, or keep the values behind it frozen',
    );
  });

  it('an operator without a rule', () => {
    const { builder, x } = builderWith('Identity');
    const heads = builder.op('com.microsoft:DynamicQuantizeMatMul', [x, x, x], {}, 'product');
    expect(() => differentiate(builder, sumOf(builder, heads), [x])).toThrow(
      "cannot differentiate com.microsoft:DynamicQuantizeMatMul 'product' at operator set 1: it has no gradient rule",
    );
  });

  it('a value that only the body of an If reads', () => {
    const builder = new GraphBuilder('branches');
    const x = builder.input('x', 'float32', [2]);
    const condition = builder.input('condition', 'bool', []);
    const inner = new GraphBuilder('branch').freeze([]);
    const branch: Graph = {
      ...inner,
      nodes: [{ op: 'Neg', domain: '', name: 'n', inputs: [x], outputs: [value('inner')], attrs: {} }],
      outputs: [value('inner')],
    };
    const attrs = {
      then_branch: { kind: 'graph', value: branch },
      else_branch: { kind: 'graph', value: branch },
    } as const;
    builder.add({ op: 'If', domain: '', name: 'choice', inputs: [condition], outputs: [value('y')], attrs }, () =>
      builder.type(x),
    );
    expect(() => differentiate(builder, sumOf(builder, value('y')), [x])).toThrow("cannot differentiate If 'choice'");
  });

  it('a loss that is no scalar', () => {
    const builder = new GraphBuilder('rows');
    const x = builder.input('x', 'float32', [symbol('rows')]);
    expect(() => differentiate(builder, builder.op('Exp', [x], {}, 'rows'), [x])).toThrow(
      "the loss 'rows' has shape [rows]; expected a scalar: reduce it with ReduceMean or ReduceSum",
    );
  });

  it('a loss of integers', () => {
    const builder = new GraphBuilder('integers');
    const x = builder.input('x', 'int64', []);
    expect(() => differentiate(builder, x, [x])).toThrow("the loss 'x' is int64; only float values have gradients");
  });

  it('a value of unknown rank on the way', () => {
    const builder = new GraphBuilder('unknown');
    const x = builder.input('x', 'float32', undefined);
    const loss = builder.op('ReduceSum', [builder.op('Mul', [x, x])], { keepdims: 0 }, 'total');
    expect(() => differentiate(builder, loss, [x])).toThrow(
      "cannot differentiate ReduceSum 'total': the rank of its input or its axes are not known",
    );
  });

  it('a Dropout that draws its own mask', () => {
    const builder = new GraphBuilder('dropout');
    const x = builder.input('x', 'float32', [2]);
    const y = builder.op('Dropout', [x, builder.scalar('float32', 0.5), builder.scalar('bool', 1)], {}, 'drop');
    expect(() => differentiate(builder, sumOf(builder, y), [x])).toThrow(
      "Dropout 'drop' may draw its own mask (training_mode); replace it by a product with a mask that is fed",
    );
  });

  it('the statistics of a norm', () => {
    const builder = new GraphBuilder('statistics');
    const x = builder.input('x', 'float32', [2, 3]);
    const [, mean] = builder.ops('LayerNormalization', [x, builder.input('scale', 'float32', [3])], 3);
    expect(() => differentiate(builder, sumOf(builder, mean ?? x), [x])).toThrow(
      'its statistics are not differentiable',
    );
  });
});
