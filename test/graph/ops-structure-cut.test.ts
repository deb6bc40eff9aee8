import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { applyCuts, type CutGroup, followCut, isRefusal } from '../../graph/cut/index.ts';
import { symbol } from '../../graph/dim.ts';
import { type Graph, type Value, value } from '../../graph/graph.ts';
import { carryThroughReshape } from '../../graph/ops/shared-factors.ts';
import { numbersOf, vector } from '../../graph/tensor.ts';

/** A float weight that counts up, so that every element is known by its value. */
const counting = (builder: GraphBuilder, name: string, dims: readonly number[], from = 0): Value => {
  const count = dims.reduce((a, b) => a * b, 1);
  const elements = Array.from({ length: count }, (_, i) => from + i);
  return builder.weight(name, vector('float32', elements, dims));
};

const follow = (graph: Graph, value: Value, axis: number): CutGroup => {
  const group = followCut(graph, { value, axis });
  if (isRefusal(group)) throw new Error(group.refused);
  return group;
};

const refusalOf = (graph: Graph, value: Value, axis: number): string => {
  const group = followCut(graph, { value, axis });
  return isRefusal(group) ? group.refused : 'no refusal';
};

const ownersOf = (group: CutGroup, value: Value, axis: number): readonly number[] | undefined => {
  const cut = group.axes.find((one) => one.value === value && one.axis === axis);
  return cut === undefined ? undefined : [...cut.owner];
};

/** What the graph gives without some units: elements of its outputs. */
const without = async (
  graph: Graph,
  group: CutGroup,
  gone: readonly number[],
): Promise<readonly (readonly number[])[]> => {
  const kept = Array.from({ length: group.units }, (_, unit) => unit).filter((unit) => !gone.includes(unit));
  const small = applyCuts(graph, [group], [kept]);
  const program = await cpuEngine.compile(small, { threads: 1 });
  try {
    const results = await program.run({});
    return small.outputs.map((output) => Array.from(results[output]?.data ?? [], Number));
  } finally {
    await program.release();
  }
};

describe('a reshape that splits an axis into heads', () => {
  const builder = new GraphBuilder('heads');
  const joined = counting(builder, 'joined', [2, 6]);
  const heads = builder.op('Reshape', [joined, builder.ints([0, 3, 2])]);
  const back = builder.op('Reshape', [heads, builder.ints([2, -1])]);
  const graph = builder.freeze([heads, back]);

  it('cuts whole heads from the joined axis', () => {
    const group = follow(graph, joined, 1);
    expect(group.units).toBe(3);
    expect(ownersOf(group, joined, 1)).toEqual([0, 0, 1, 1, 2, 2]);
    expect(ownersOf(group, heads, 1)).toEqual([0, 1, 2]);
    expect(ownersOf(group, back, 1)).toEqual([0, 0, 1, 1, 2, 2]);
  });

  it('repeats the owners of the head width in every head', () => {
    const group = follow(graph, heads, 2);
    expect(group.units).toBe(2);
    expect(ownersOf(group, joined, 1)).toEqual([0, 1, 0, 1, 0, 1]);
    expect(ownersOf(group, heads, 1)).toBeUndefined();
  });

  it('writes the sizes that stay', async () => {
    const [, flat] = await without(graph, follow(graph, joined, 1), [1]);
    expect(flat).toEqual([0, 1, 4, 5, 6, 7, 10, 11]);
    const [, narrow] = await without(graph, follow(graph, heads, 2), [0]);
    expect(narrow).toEqual([1, 3, 5, 7, 9, 11]);
  });
});

it('rewrites a head count that is written into computed shape arithmetic', async () => {
  const builder = new GraphBuilder('exported');
  const x = counting(builder, 'x', [2, 6]);
  const rows = builder.op('Gather', [builder.op('Shape', [x]), builder.scalar('int64', 0)]);
  const shape = builder.op('Concat', [builder.op('Unsqueeze', [rows, builder.ints([0])]), builder.ints([3, 2])], {
    axis: 0,
  });
  const heads = builder.op('Reshape', [x, shape]);
  const graph = builder.freeze([heads]);
  const [elements] = await without(graph, follow(graph, x, 1), [0]);
  expect(elements).toEqual([2, 3, 4, 5, 8, 9, 10, 11]);
});

describe('packed parts', () => {
  const builder = new GraphBuilder('packed');
  const parts = ['q', 'k', 'v'].map((name, i) => counting(builder, name, [2, 2], 10 * i));
  const packed = builder.op('Concat', parts, { axis: 1 });
  const [q, k, v] = builder.ops('Split', [packed], 3, { axis: 1, num_outputs: 3 });
  if (q === undefined || k === undefined || v === undefined) throw new Error('Split has three outputs');
  const coupled = builder.op('Concat', [builder.op('Where', [builder.op('Less', [q, k]), q, k]), v], { axis: 0 });
  const free = builder.freeze([q, k, v]);
  const graph = builder.freeze([coupled]);
  const [first, second, third] = parts;
  if (first === undefined || second === undefined || third === undefined) throw new Error('three parts');

  it('leave the other parts alone', async () => {
    const group = follow(free, second, 1);
    expect(ownersOf(group, packed, 1)).toEqual([-1, -1, 0, 1, -1, -1]);
    expect(ownersOf(group, first, 1)).toBeUndefined();
    expect(await without(free, group, [0])).toEqual([
      [0, 1, 2, 3],
      [11, 13],
      [20, 21, 22, 23],
    ]);
  });

  it('that meet again are cut together', async () => {
    const group = follow(graph, first, 1);
    expect(group.units).toBe(2);
    expect(ownersOf(group, packed, 1)).toEqual([0, 1, 0, 1, 0, 1]);
    expect(ownersOf(group, third, 1)).toEqual([0, 1]);
    expect(await without(graph, group, [1])).toEqual([[0, 2, 20, 22]]);
  });
});

describe('a slice', () => {
  const builder = new GraphBuilder('slices');
  const x = counting(builder, 'x', [1, 6]);
  const middle = builder.op('Slice', [x, builder.ints([2]), builder.ints([5]), builder.ints([1])]);
  const backwards = builder.op('Slice', [
    x,
    builder.ints([-1]),
    builder.ints([-7]),
    builder.ints([1]),
    builder.ints([-1]),
  ]);
  const graph = builder.freeze([middle, backwards]);

  it('maps its indices and moves its bounds', async () => {
    const group = follow(graph, x, 1);
    expect(ownersOf(group, middle, 1)).toEqual([2, 3, 4]);
    expect(ownersOf(group, backwards, 1)).toEqual([5, 4, 3, 2, 1, 0]);
    expect(await without(graph, group, [0, 3])).toEqual([
      [2, 4],
      [5, 4, 2, 1],
    ]);
  });

  it('refuses where it steps', () => {
    const stepping = new GraphBuilder('steps');
    const weight = counting(stepping, 'x', [6]);
    const bounds = [0, 6, 0, 2].map((bound) => stepping.ints([bound]));
    const graphOfSteps = stepping.freeze([stepping.op('Slice', [weight, ...bounds])]);
    expect(refusalOf(graphOfSteps, weight, 0)).toContain('steps over axis 0');
  });
});

describe('a look-up', () => {
  it('loses columns of its table, never rows that ids name', () => {
    const builder = new GraphBuilder('embedding');
    const table = counting(builder, 'table', [5, 3]);
    const ids = builder.input('ids', 'int64', [symbol('batch'), symbol('sequence')]);
    const y = builder.op('Gather', [table, ids]);
    const graph = builder.freeze([y]);
    expect(ownersOf(follow(graph, table, 1), y, 2)).toEqual([0, 1, 2]);
    expect(ownersOf(follow(graph, y, 2), table, 1)).toEqual([0, 1, 2]);
    expect(refusalOf(graph, table, 0)).toContain("looks up axis 0 of 'table' by data");
  });

  it('renumbers constant indices', async () => {
    const builder = new GraphBuilder('chosen');
    const x = counting(builder, 'x', [5]);
    const y = builder.op('Gather', [x, builder.ints([4, 0, -2])]);
    const graph = builder.freeze([y]);
    expect(await without(graph, follow(graph, x, 0), [1, 3])).toEqual([[4, 0]]);
  });
});

describe('sizes of one', () => {
  it('are broadcast, so they stay whole', () => {
    const builder = new GraphBuilder('broadcast');
    const condition = builder.input('condition', 'bool', [1, 4]);
    const column = counting(builder, 'column', [3, 1]);
    const row = builder.op('Expand', [counting(builder, 'row', [1, 1]), builder.ints([3, 1])]);
    const y = builder.op('Where', [condition, column, row]);
    const group = follow(builder.freeze([y]), column, 0);
    expect(ownersOf(group, y, 0)).toEqual([0, 1, 2]);
    expect(ownersOf(group, condition, 0)).toBeUndefined();
    expect(ownersOf(group, row, 0)).toEqual([0, 1, 2]);
  });
});

it('reads the sizes of a cut value without being cut itself', () => {
  const builder = new GraphBuilder('shape');
  const x = counting(builder, 'x', [2, 4]);
  const sizes = builder.op('Shape', [x]);
  const graph = builder.freeze([x, sizes]);
  const small = applyCuts(graph, [follow(graph, x, 1)], [[0, 3]]);
  expect(numbersOf(small.weights.get(x) ?? vector('float32', []))).toEqual([0, 3, 4, 7]);
  expect(small.types.get(sizes)?.shape).toEqual([2]);
});

describe('a cut carried through a reshape', () => {
  /** Two ways to write the same number of elements: consecutive factors joined at random. */
  const shapes = fc
    .array(fc.tuple(fc.integer({ min: 2, max: 4 }), fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 5 })
    .map((factors) => {
      const join = (side: 1 | 2): number[] => {
        const dims: number[] = [];
        for (const factor of factors) {
          const last = dims.pop();
          if (last === undefined) dims.push(factor[0]);
          else if (factor[side]) dims.push(last * factor[0]);
          else dims.push(last, factor[0]);
        }
        return dims;
      };
      return { from: join(1), to: join(2) };
    });

  const carried = (from: readonly number[], axis: number, owner: Int32Array, to: readonly number[]) => {
    const effect = carryThroughReshape(from, axis, owner, { value: value('y'), shape: to });
    const [cut] = 'refused' in effect ? [] : effect.cuts;
    if ('refused' in effect || cut === undefined) throw new Error('the cut does not arrive');
    return { cut, merges: effect.merges ?? [] };
  };

  it('comes back to the axis that it left, in whole blocks', () => {
    fc.assert(
      fc.property(shapes, fc.nat(), ({ from, to }, pick) => {
        const axis = pick % from.length;
        const length = from[axis] ?? 1;
        const there = carried(
          from,
          axis,
          Int32Array.from({ length }, (_, i) => i),
          to,
        );
        const block = new Map(there.merges.map(([first, unit]) => [unit, first]));
        const back = carried(to, there.cut.axis, there.cut.owner, from);
        expect(back.cut.axis).toBe(axis);
        expect(back.merges).toEqual([]);
        expect([...back.cut.owner]).toEqual(Array.from({ length }, (_, i) => block.get(i) ?? i));
      }),
    );
  });
});
