import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { followCut, isRefusal } from '../../graph/cut/index.ts';
import { differentiate } from '../../graph/differentiate.ts';
import { symbol } from '../../graph/dim.ts';
import { type Graph, type TensorType, type Value, value } from '../../graph/graph.ts';
import { tensorOf } from '../../graph/tensor.ts';

const batch = symbol('batch');

/** A branch that reads x from around it. */
const branch = (name: string, emit: (builder: GraphBuilder, x: Value) => Value): Graph => {
  const builder = new GraphBuilder(name);
  const x = builder.input('x', 'float32', [batch, 4]);
  const graph = builder.freeze([emit(builder, x)]);
  return { ...graph, inputs: [] };
};

const passed = branch('passed', (builder, x) => builder.op('Neg', [x], {}, 'negated'));

/** y = x W through a choice between two branches, under a condition that the run gives. */
const chosen = (other: Graph): { builder: GraphBuilder; x: Value; y: Value } => {
  const builder = new GraphBuilder('chosen');
  const x = builder.input('x', 'float32', [batch, 4]);
  const condition = builder.input('condition', 'bool', []);
  const y = value('y');
  builder.add({
    op: 'If',
    domain: '',
    name: 'choice',
    inputs: [condition],
    outputs: [y],
    attrs: { then_branch: { kind: 'graph', value: passed }, else_branch: { kind: 'graph', value: other } },
  });
  return { builder, x, y };
};

const typeBehind = (emit: (builder: GraphBuilder, x: Value) => Value): TensorType | undefined => {
  const { builder, y } = chosen(branch('other', emit));
  return builder.hasType(y) ? builder.type(y) : undefined;
};

describe('a choice between two graphs', () => {
  it('has the type that both give', () => {
    expect(typeBehind((builder, x) => builder.op('Abs', [x], {}, 'other'))).toEqual({
      dtype: 'float32',
      shape: [batch, 4],
    });
  });

  it('has sizes of its own where they differ, no shape where ranks do, and no type where element types do', () => {
    const half = (builder: GraphBuilder, x: Value): Value =>
      builder.op('Slice', [x, builder.ints([0]), builder.ints([2]), builder.ints([1])], {}, 'other');
    expect(typeBehind(half)).toEqual({ dtype: 'float32', shape: [batch, symbol('y.1')] });
    const sums = (builder: GraphBuilder, x: Value): Value =>
      builder.op('ReduceSum', [x, builder.ints([1])], { keepdims: 0 }, 'other');
    expect(typeBehind(sums)).toEqual({ dtype: 'float32', shape: undefined });
    expect(typeBehind((builder, x) => builder.op('Cast', [x], { to: 7 }, 'other'))).toBeUndefined();
  });

  it('is typed as it runs', async () => {
    const { builder, y } = chosen(branch('other', (inner, x) => inner.op('Abs', [x], {}, 'other')));
    const program = await cpuEngine.compile(builder.freeze([builder.op('Relu', [y])]), { threads: 1 });
    const results = await program.run({
      x: { dtype: 'float32', dims: [1, 4], data: Float32Array.of(-1, 2, -3, 4) },
      condition: { dtype: 'bool', dims: [], data: Uint8Array.of(1) },
    });
    expect(Object.values(results).map(({ dims, data }) => [dims, Array.from(data, Number)])).toEqual([
      [
        [1, 4],
        [1, 0, 3, 0],
      ],
    ]);
    await program.release();
  });

  it('has no gradient and is not cut, and says so', () => {
    const { builder, x, y } = chosen(branch('other', (inner, inside) => inner.op('Abs', [inside], {}, 'other')));
    const loss = builder.op('ReduceSum', [y], { keepdims: 0 });
    expect(() => differentiate(builder, loss, [x])).toThrow("cannot differentiate If 'choice'");
    const weight = builder.weight('w', tensorOf('float32', [4, 4], new Float32Array(16)));
    const product = builder.op('MatMul', [y, weight]);
    const group = followCut(builder.freeze([product]), { value: weight, axis: 0 });
    expect(isRefusal(group) && group.refused).toContain('chooses between two graphs');
  });
});

describe('a value repeated as often as the run says', () => {
  it('has the sum over the repeats as its gradient', async () => {
    const builder = new GraphBuilder('tiled');
    const x = builder.input('x', 'float32', [2, 3]);
    const like = builder.input('like', 'float32', [symbol('times'), 1]);
    const repeats = builder.op('Shape', [like]);
    const y = builder.op('Tile', [x, repeats]);
    const dy = builder.input('dy', 'float32', [symbol('rows'), 3]);
    const loss = builder.op('ReduceSum', [builder.op('Mul', [y, dy])], { keepdims: 0 });
    const dx = differentiate(builder, loss, [x]).get(x);
    if (dx === undefined) throw new Error('x has a gradient');
    const program = await cpuEngine.compile(builder.freeze([dx], { keepInputs: false }), { threads: 1 });
    const rows = Float32Array.from({ length: 18 }, (_, i) => i);
    const results = await program.run({
      x: { dtype: 'float32', dims: [2, 3], data: new Float32Array(6) },
      like: { dtype: 'float32', dims: [3, 1], data: new Float32Array(3) },
      dy: { dtype: 'float32', dims: [6, 3], data: rows },
    });
    expect(Array.from(results[dx]?.data ?? [], Number)).toEqual([18, 21, 24, 27, 30, 33]);
    await program.release();
  });
});
