import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { unfuse } from '../../graph/normalize/unfuse/index.ts';
import { fusedNode } from '../../graph/normalize/unfuse/samples.ts';
import { tensorOf } from '../../graph/tensor.ts';

const [BUCKETS, HEADS, FARTHEST] = [8, 2, 20];

/** As T5 defines it: the first half of the buckets one distance each, the others by the logarithm. */
const bucketOf = (ahead: number, bothWays: boolean): number => {
  const buckets = bothWays ? BUCKETS / 2 : BUCKETS;
  const offset = bothWays && ahead > 0 ? buckets : 0;
  const distance = bothWays ? Math.abs(ahead) : Math.max(-ahead, 0);
  const exact = buckets / 2;
  if (distance < exact) return offset + distance;
  const share = Math.log(distance / exact) / Math.log(FARTHEST / exact);
  return offset + Math.min(exact + Math.floor(share * (buckets - exact)), buckets - 1);
};

/** The operator has no kernel on ONNX Runtime's CPU: its parts stand against the definition. */
describe('com.microsoft:RelativePositionBias', () => {
  it.each([true, false])('computes in parts what T5 defines, looking both ways: %s', async (bothWays) => {
    const [queries, keys] = [9, 31];
    const builder = new GraphBuilder('relative');
    // Head by head, though the shape says bucket by bucket.
    const numbers = Float32Array.from({ length: BUCKETS * HEADS }, (_, i) => i);
    const table = builder.weight('table', tensorOf('float32', [BUCKETS, HEADS], numbers));
    const lengths = ['queries', 'keys'].map((role) => builder.input(role, 'int64', []));
    const attrs = { max_distance: FARTHEST, is_bidirectional: bothWays ? 1 : 0 };
    const inputs = [table, ...lengths];
    const [y] = fusedNode(builder, 'com.microsoft:RelativePositionBias', inputs, [[1, HEADS, queries, keys]], attrs);
    if (y === undefined) throw new Error('it has an output');
    const program = await cpuEngine.compile(unfuse.run(builder.freeze([y])), { threads: 1 });
    const results = await program.run({
      queries: { dtype: 'int64', dims: [], data: BigInt64Array.of(BigInt(queries)) },
      keys: { dtype: 'int64', dims: [], data: BigInt64Array.of(BigInt(keys)) },
    });
    await program.release();
    const expected = Array.from({ length: HEADS * queries * keys }, (_, i) => {
      const [head, query, key] = [Math.floor(i / (queries * keys)), Math.floor(i / keys) % queries, i % keys];
      return head * BUCKETS + bucketOf(key - query, bothWays);
    });
    expect(results[y]?.dims).toEqual([1, HEADS, queries, keys]);
    expect(Array.from(results[y]?.data ?? [], Number)).toEqual(expected);
  });
});
