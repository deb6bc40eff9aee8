import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../graph/builder.ts';
import { attributesOf, callOf } from '../../graph/call.ts';
import { applyCuts, followCut, isRefusal } from '../../graph/cut/index.ts';
import { addDims, type Dim, multiplyDims, symbol } from '../../graph/dim.ts';
import { type Value, value } from '../../graph/graph.ts';
import type { Cut, CutEffect, Refusal } from '../../graph/op.ts';
import { findOp } from '../../graph/ops/index.ts';
import { tensorOf } from '../../graph/tensor.ts';

const [batch, sequence] = [symbol('batch'), symbol('sequence')];

/** What shape arithmetic makes of a value: the shape that it gives a Reshape. */
const shapeFrom = (make: (b: GraphBuilder, shape: Value) => Value): readonly Dim[] | undefined => {
  const b = new GraphBuilder('arithmetic');
  const x = b.input('x', 'float32', [batch, sequence, 8]);
  return b.type(b.op('Expand', [b.scalar('float32', 0), make(b, b.op('Shape', [x]))])).shape;
};

describe('integer arithmetic keeps shapes known', () => {
  it.each<[string, (b: GraphBuilder, s: Value) => Value, readonly Dim[]]>([
    ['sums', (b, s) => b.op('Add', [s, b.ints([1, 0, 2])]), [addDims(batch, 1), sequence, 10]],
    ['differences', (b, s) => b.op('Sub', [s, b.ints([0, 1, 8])]), [batch, addDims(sequence, -1), 0]],
    [
      'products with a scalar',
      (b, s) => b.op('Mul', [s, b.scalar('int64', 2)]),
      [multiplyDims(2, batch), multiplyDims(2, sequence), 16],
    ],
    [
      'exact quotients',
      (b, s) => b.op('Div', [b.op('Mul', [s, b.ints([2, 4, 1])]), b.ints([2, 2, 3])]),
      [batch, multiplyDims(2, sequence), 2],
    ],
    ['the larger of equals and of numbers', (b, s) => b.op('Max', [s, s, b.op('Min', [s, s])]), [batch, sequence, 8]],
  ])('%s', (_, make, expected) => {
    expect(shapeFrom(make)).toEqual(expected);
  });

  it('truncates quotients of negative numbers as ONNX does', () => {
    const b = new GraphBuilder('division');
    const quotient = b.op('Div', [b.ints([-7, 7]), b.ints([2, -2])]);
    expect(b.type(b.op('Expand', [b.scalar('float32', 0), b.op('Sub', [b.ints([0, 0]), quotient])])).shape).toEqual([
      3, 3,
    ]);
  });

  it('rounds down where a symbol does not divide, and gives up on division by zero', () => {
    const halves = shapeFrom((b, s) => b.op('Div', [s, b.ints([2, 2, 2])]));
    expect(halves).toEqual([`${batch}.plus0.over2`, `${sequence}.plus0.over2`, 4]);
    const zero = shapeFrom((b, s) => b.op('Div', [s, b.ints([1, 1, 0])]));
    expect(zero?.every((dim) => typeof dim === 'string' && dim.startsWith('Expand'))).toBe(true);
  });
});

describe('shapes that do not fit are an error that names the node', () => {
  const builder = (): [GraphBuilder, (...dims: number[]) => Value] => {
    const b = new GraphBuilder('wrong');
    let count = 0;
    return [b, (...dims) => b.input(`x${count++}`, 'float32', dims)];
  };

  it('elementwise', () => {
    const [b, x] = builder();
    expect(() => b.op('Add', [x(2, 3), x(2)], {}, 'sum')).toThrow(
      "Add 'sum': shapes [2, 3] and [2] do not broadcast along axis 1",
    );
  });

  it('in a product', () => {
    const [b, x] = builder();
    expect(() => b.op('MatMul', [x(2, 3), x(4, 5)], {}, 'product')).toThrow(
      "MatMul 'product': [2, 3] times [4, 5]: 3 columns meet 4 rows",
    );
    expect(() => b.op('MatMul', [x(), x(4, 5)], {}, 'scalar')).toThrow(
      "MatMul 'scalar': expected vectors or matrices, found a scalar",
    );
  });

  it('in a Gemm', () => {
    const [b, x] = builder();
    expect(() => b.op('Gemm', [x(2, 3), x(4, 5)], { transB: 1 }, 'linear')).toThrow(
      "Gemm 'linear': [2, 3] times [4, 5]: 3 meets 5",
    );
    expect(() => b.op('Gemm', [x(2, 3, 4), x(4, 5)], {}, 'deep')).toThrow(
      "Gemm 'deep': expected two matrices, found [2, 3, 4] and [4, 5]",
    );
  });

  it('over an axis that is not there', () => {
    const [b, x] = builder();
    expect(() => b.op('ReduceSum', [x(2, 3), b.ints([2])], {}, 'total')).toThrow(
      "ReduceSum 'total': axis 2 is outside a value of rank 2",
    );
  });
});

/** What a cut of one value implies on the other values of a node. */
const implied = (
  op: string,
  inputs: readonly (readonly number[])[],
  cut: { at: string; axis: number; owner: readonly number[] },
  attrs: Record<string, number> = {},
): CutEffect | Refusal => {
  const [domain, name] = op.includes(':') ? ['com.microsoft', op.slice(op.indexOf(':') + 1)] : ['', op];
  const types = new Map(inputs.map((shape, i) => [value(`x${i}`), { dtype: 'float32', shape } as const]));
  const node = {
    op: name,
    domain,
    name: 'node',
    inputs: [...types.keys()],
    outputs: [value('y')],
    attrs: attributesOf(attrs),
  };
  const known = { type: (v: Value) => types.get(v), weight: () => undefined, ints: () => undefined };
  const opset = domain === '' ? 20 : 1;
  const record = findOp(domain, name, opset);
  if (record === undefined) throw new Error(`no ${op}`);
  return record.cut(callOf(node, opset, known), {
    value: value(cut.at),
    axis: cut.axis,
    owner: Int32Array.from(cut.owner),
  });
};

const plain = (effect: CutEffect | Refusal): readonly string[] | string =>
  'refused' in effect
    ? effect.refused
    : effect.cuts.map(({ value: v, axis, owner }: Cut) => `${v}.${axis}: ${[...owner].join(' ')}`);

describe('cuts of products', () => {
  it('take output columns and weight columns together, and contracted axes of both sides', () => {
    const shapes = [
      [2, 3],
      [3, 4],
    ];
    expect(plain(implied('MatMul', shapes, { at: 'y', axis: 1, owner: [0, 0, 1, -1] }))).toEqual([
      'x1.1: 0 0 1 -1',
      'y.1: 0 0 1 -1',
    ]);
    expect(plain(implied('MatMul', shapes, { at: 'x1', axis: 0, owner: [0, 1, 2] }))).toEqual([
      'x0.1: 0 1 2',
      'x1.0: 0 1 2',
    ]);
  });

  it('go through all three stacks of heads, past the side that broadcasts', () => {
    const shapes = [
      [2, 4, 3, 5],
      [4, 5, 3],
    ];
    expect(plain(implied('MatMul', shapes, { at: 'x1', axis: 0, owner: [0, 1, 2, 3] }))).toEqual([
      'x0.1: 0 1 2 3',
      'x1.0: 0 1 2 3',
      'y.1: 0 1 2 3',
    ]);
    expect(
      plain(
        implied(
          'MatMul',
          [
            [2, 4, 3, 5],
            [1, 5, 3],
          ],
          { at: 'y', axis: 1, owner: [0, 1, 2, 3] },
        ),
      ),
    ).toEqual(['x0.1: 0 1 2 3', 'y.1: 0 1 2 3']);
  });

  it('follow the transposed weight and the bias of a Gemm', () => {
    const shapes = [[2, 3], [4, 3], [4]];
    expect(plain(implied('Gemm', shapes, { at: 'x2', axis: 0, owner: [0, 1, 2, 3] }, { transB: 1 }))).toEqual([
      'x1.0: 0 1 2 3',
      'x2.0: 0 1 2 3',
      'y.1: 0 1 2 3',
    ]);
  });
});

describe('cuts of what normalizes', () => {
  it('Softmax refuses along its axis and passes others', () => {
    expect(plain(implied('Softmax', [[2, 3]], { at: 'x0', axis: 1, owner: [0, 1, 2] }))).toBe(
      'mixes all indices of the axis that it normalizes',
    );
    expect(plain(implied('Softmax', [[2, 3]], { at: 'y', axis: 0, owner: [0, 1] }))).toEqual(['x0.0: 0 1', 'y.0: 0 1']);
  });

  it('LayerNormalization passes, with scale and shift', () => {
    const cut = { at: 'x1', axis: 0, owner: [0, 1, 1, -1] };
    expect(plain(implied('LayerNormalization', [[2, 3, 4], [4], [4]], cut))).toEqual([
      'x0.2: 0 1 1 -1',
      'x1.0: 0 1 1 -1',
      'x2.0: 0 1 1 -1',
      'y.2: 0 1 1 -1',
    ]);
  });

  it('a reduction over all axes ends every cut', () => {
    expect(plain(implied('ReduceL2', [[2, 3]], { at: 'x0', axis: 1, owner: [0, 1, 2] }, { keepdims: 0 }))).toEqual([
      'x0.1: 0 1 2',
    ]);
    expect(plain(implied('ReduceL2', [[2, 3]], { at: 'y', axis: 1, owner: [0] }))).toBe(
      'has already summed over that axis',
    );
  });
});

describe('attention loses whole heads', () => {
  const shapes = [[2, 3, 4], [2, 5, 4], [2, 5, 6], [14]];
  const attrs = { num_heads: 2 };

  it('from the queries on: keys, values, packed bias and output follow, units inside a head are merged', () => {
    const effect = implied('com:MultiHeadAttention', shapes, { at: 'x0', axis: 2, owner: [0, 1, 2, 3] }, attrs);
    expect(plain(effect)).toEqual([
      'x0.2: 0 0 2 2',
      'x1.2: 0 0 2 2',
      'x2.2: 0 0 0 2 2 2',
      'x3.0: 0 0 2 2 0 0 2 2 0 0 0 2 2 2',
      'y.2: 0 0 0 2 2 2',
    ]);
    expect('merges' in effect && effect.merges).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  it('refuses other axes', () => {
    expect(plain(implied('com:MultiHeadAttention', shapes, { at: 'x1', axis: 1, owner: [0, 1, 2, 3, 4] }, attrs))).toBe(
      'can lose whole heads only',
    );
  });

  it('and counts fewer of them afterwards', () => {
    const b = new GraphBuilder('heads');
    const x = b.input('x', 'float32', [batch, sequence, 4]);
    const weight = (name: string): Value =>
      b.weight(
        name,
        tensorOf(
          'float32',
          [4, 6],
          Float32Array.from({ length: 24 }, (_, i) => i),
        ),
      );
    const roles = ['q', 'k', 'v'].map((name) => b.op('MatMul', [x, weight(name)]));
    const mixed = b.op('com.microsoft:MultiHeadAttention', roles, { num_heads: 3 });
    const out = b.op('MatMul', [mixed, b.weight('o', tensorOf('float32', [6, 4], new Float32Array(24)))]);
    const graph = b.freeze([out]);
    const group = followCut(graph, { value: value('q'), axis: 1 });
    if (isRefusal(group)) throw new Error('refused');
    expect(group.units).toBe(3);
    const cut = applyCuts(graph, [group], [[0, 2]]);
    const attention = cut.nodes.find((node) => node.op === 'MultiHeadAttention');
    expect(attention?.attrs.num_heads).toEqual({ kind: 'int', value: 2 });
    expect(cut.weights.get(value('o'))?.dims).toEqual([4, 4]);
  });
});
