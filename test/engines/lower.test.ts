import { describe, expect, it } from 'vitest';
import type { Engine } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { LoweredProgram } from '../../engine/engines/onnxruntime/lowered.ts';
import { lowering } from '../../engine/engines/webgpu/provider.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { symbol } from '../../graph/dim.ts';
import type { Graph } from '../../graph/graph.ts';
import { lower } from '../../graph/lower/index.ts';
import { vector } from '../../graph/tensor.ts';
import { verdictOn } from './conformance.ts';
import { wholeGraphs } from './whole-graphs.ts';

/** Sums in another order, through some layers. */
const ROUNDING = 5e-5;

/** The CPU, given graphs in the words of a GPU. */
const lowered: Engine = {
  ...cpuEngine,
  compile: async (graph, options) => {
    const other = lower(graph, lowering);
    return new LoweredProgram(graph, other, await cpuEngine.compile(other.graph, options), (work) => work);
  },
};

describe('in the words of a GPU', () => {
  it.each(wholeGraphs)('$name is what it was', async ({ make }) => {
    const one = await make();
    expect(await verdictOn(lowered, one, ROUNDING)).toBe('right');
  });

  it.each(wholeGraphs.filter(({ kind }) => kind !== 'int8'))(
    '$name computes with no wide integer',
    async ({ make }) => {
      const { graph, host } = lower((await make()).graph, lowering);
      const wide = graph.nodes.flatMap(({ outputs }) =>
        outputs.filter((name) => graph.types.get(name)?.dtype === 'int64'),
      );
      expect(wide).toEqual([]);
      expect(graph.nodes.filter(({ op }) => op === 'Shape')).toEqual([]);
      expect(host.every(({ name }) => graph.inputs.includes(name))).toBe(true);
    },
  );
});

/** Ids from which a constant is taken, between the numbers of all positions. */
const counted = (taken: number): Graph => {
  const builder = new GraphBuilder('counted');
  const ids = builder.input('ids', 'int64', [symbol('sequence')]);
  const length = builder.op('Shape', [ids]);
  const all = builder.constant(vector('int64', [3, 4, 5, 6, 7, 8]));
  const stretch = builder.op('Slice', [all, builder.ints([1]), length, builder.ints([0])], {}, 'stretch');
  const rest = builder.op('Sub', [ids, builder.scalar('int64', taken)], {}, 'rest');
  return builder.freeze([stretch, rest, length]);
};

const ids = (...data: readonly bigint[]) =>
  ({ ids: { dtype: 'int64', dims: [data.length], data: BigInt64Array.from(data) } }) as const;

describe('integers', () => {
  it('are narrow inside and wide outside, and what follows from shapes is fed', async () => {
    const graph = counted(2);
    const { host } = lower(graph, lowering);
    expect(host.map(({ kind }) => kind).sort()).toEqual(['count', 'sizes']);
    const program = await lowered.compile(graph, { threads: 1 });
    const outputs = await program.run(ids(-5n, 0n, 7n, 2_147_483_647n));
    expect(Object.values(outputs).map(({ dtype, data }) => [dtype, ...data])).toEqual([
      ['int64', 4n, 5n, 6n],
      ['int64', -7n, -2n, 5n, 2_147_483_645n],
      ['int64', 4n],
    ]);
    await program.release();
  });

  it('that do not fit are told', async () => {
    const program = await lowered.compile(counted(2), { threads: 1 });
    await expect(program.run(ids(1n, 2n ** 31n))).rejects.toThrow(
      "'ids' holds 2147483648, and the device computes with 32-bit integers",
    );
    await program.release();
    expect(() => lower(counted(2 ** 40), lowering)).toThrow(/holds 1099511627776, and the device computes with 32-bit/);
  });
});
