import { expect, it } from 'vitest';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { symbol } from '../../graph/dim.ts';
import type { Value } from '../../graph/graph.ts';

/** What shape arithmetic knows of a value computed from the shape of x (batch, 6), and what the run computes at batch 3. */
const knownAndComputed = async (emit: (b: GraphBuilder, shape: Value) => Value, batch: number | 'batch' = 3) => {
  const b = new GraphBuilder('integers');
  const x = b.input('x', 'float32', [batch === 'batch' ? symbol('batch') : batch, 6]);
  const y = b.op('Identity', [emit(b, b.op('Shape', [x]))], {}, 'y');
  const known = b.intsOf(y);
  const program = await cpuEngine.compile(b.freeze([y]), { threads: 1, optimization: 'none' });
  const found = await program.run({ x: { dtype: 'float32', dims: [3, 6], data: new Float32Array(18) } });
  await program.release();
  return { known, computed: Array.from(found.y?.data ?? [], Number) };
};

const table = (b: GraphBuilder, shape: Value): Value =>
  b.op('Reshape', [b.op('Concat', [shape, b.ints([0, 1]), shape], { axis: 0 }), b.ints([3, 2])]);

it.each<[string, (b: GraphBuilder, shape: Value) => Value]>([
  ['the rest of a division', (b, shape) => b.op('Mod', [shape, b.ints([4, 5])])],
  ['the rest of a negative number', (b, shape) => b.op('Mod', [b.op('Mul', [shape, b.ints([-1])]), b.ints([4, 6])])],
  ['the rest by a negative number', (b, shape) => b.op('Mod', [shape, b.ints([-4, 6])])],
  [
    'the rest with the sign of what is divided',
    (b, shape) => b.op('Mod', [b.op('Mul', [shape, b.ints([-1])]), b.ints([4, 5])], { fmod: 1 }),
  ],
  ['a table that is turned', (b, shape) => b.op('Transpose', [table(b, shape)])],
  [
    'rows of a table, backwards',
    (b, shape) => b.op('Slice', [table(b, shape), b.ints([-1]), b.ints([-9]), b.ints([0]), b.ints([-1])]),
  ],
  ['a corner of a table', (b, shape) => b.op('Slice', [table(b, shape), b.ints([1, 0]), b.ints([3, 1])])],
])('%s is known as it is computed', async (_, emit) => {
  const { known, computed } = await knownAndComputed(emit);
  expect(known).toEqual(computed);
});

it('the rest of a size is nothing where a number divides it, and open where it may not', async () => {
  const doubled = (b: GraphBuilder, shape: Value): Value => b.op('Mul', [shape, b.ints([2])]);
  const even = await knownAndComputed((b, shape) => b.op('Mod', [doubled(b, shape), b.ints([2])]), 'batch');
  expect(even.known).toEqual(even.computed);
  const open = await knownAndComputed((b, shape) => b.op('Mod', [doubled(b, shape), b.ints([4])]), 'batch');
  expect(open.known).toBeUndefined();
});
