import { describe, expect, it } from 'vitest';
import type { HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { symbol } from '../../graph/dim.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { tensorOf } from '../../graph/tensor.ts';

const [HEADS, WIDTH, BATCH, LENGTH] = [2, 8, 2, 3];
/** Two orders of the same sums in float32. */
const TOLERANCE = 1e-6;
const NOTHING = Number.NEGATIVE_INFINITY;
const LOWEST = -3.4028234663852886e38;

const waves = (count: number, phase: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i * 7.3 + phase));

type Masking = (builder: GraphBuilder, scores: Value, dropped: Value, fill: Value) => Value;

const zero = (b: GraphBuilder): Value => b.scalar('float32', 0);

const maskings: Readonly<Record<string, Masking>> = {
  'scores replaced': (b, scores, dropped, fill) => b.op('Where', [dropped, fill, scores]),
  'a chosen bias': (b, scores, dropped, fill) => b.op('Add', [scores, b.op('Where', [dropped, fill, zero(b)])]),
  'a product': (b, scores, dropped, fill) =>
    b.op('Add', [scores, b.op('Mul', [b.op('Cast', [dropped], { to: 1 }), fill])]),
};

const attention = (masking: Masking, fill: number, projected: boolean, filled: boolean): Graph => {
  const b = new GraphBuilder('attention');
  const [batch, sequence] = [symbol('batch'), symbol('sequence')];
  const x = b.input('x', 'float32', [batch, sequence, WIDTH]);
  const mask = b.input('mask', 'int64', [batch, sequence]);
  const linear = (role: string): Value => {
    if (!projected) return b.input(role, 'float32', [batch, sequence, WIDTH]);
    const matrix = b.weight(`${role}.weight`, tensorOf('float32', [WIDTH, WIDTH], waves(WIDTH * WIDTH, role.length)));
    return b.op('Add', [
      b.op('MatMul', [x, matrix]),
      b.weight(`${role}.bias`, tensorOf('float32', [WIDTH], waves(WIDTH, 1))),
    ]);
  };
  const split = (y: Value, perm: readonly number[]): Value =>
    b.op('Transpose', [b.op('Reshape', [y, b.ints([0, 0, HEADS, WIDTH / HEADS])])], { perm });
  const [query, key, value] = [
    split(linear('query'), [0, 2, 1, 3]),
    split(linear('key'), [0, 2, 3, 1]),
    split(linear('value'), [0, 2, 1, 3]),
  ];
  const dropped = b.op('Equal', [b.op('Unsqueeze', [mask, b.ints([1, 2])]), b.scalar('int64', 0)]);
  const scores = masking(b, b.op('MatMul', [query, key]), dropped, b.scalar('float32', fill));
  const shares = b.op('Softmax', [scores], { axis: -1 });
  const seen = filled ? b.op('Where', [b.op('IsNaN', [shares]), zero(b), shares]) : shares;
  const mixed = b.op('Transpose', [b.op('MatMul', [seen, value])], { perm: [0, 2, 1, 3] });
  return b.freeze([b.op('Reshape', [mixed, b.ints([0, 0, WIDTH])], {}, 'output')]);
};

const outputOf = async (graph: Graph, mask: readonly bigint[]): Promise<readonly number[]> => {
  const program = await cpuEngine.compile(graph, { threads: 1 });
  const features = (phase: number): HostTensor => ({
    dtype: 'float32',
    dims: [BATCH, LENGTH, WIDTH],
    data: waves(BATCH * LENGTH * WIDTH, phase),
  });
  const all = { x: features(1), query: features(2), key: features(3), value: features(4) };
  const feeds = Object.fromEntries(
    Object.entries(all).filter(([name]) => graph.inputs.some((input) => input === name)),
  );
  try {
    const { output } = await program.run({
      ...feeds,
      mask: { dtype: 'int64', dims: [BATCH, LENGTH], data: BigInt64Array.from(mask) },
    });
    return Array.from(output?.data ?? [], Number);
  } finally {
    await program.release();
  }
};

const cases = Object.entries(maskings).flatMap(([name, masking]) =>
  [NOTHING, LOWEST, -1e9].flatMap((fill) =>
    [true, false].map((projected) => [name, fill, projected, masking] as const),
  ),
);

describe('fused attention masks as it did before, numbers and gaps alike', () => {
  it.each(cases)('%s by %d, projections inside: %s', async (_, fill, projected, masking) => {
    for (const filled of [false, true]) {
      const graph = attention(masking, fill, projected, filled);
      const fused = fuseForInference(graph);
      for (const mask of [
        [1n, 1n, 0n, 1n, 1n, 1n],
        [1n, 0n, 0n, 0n, 0n, 0n],
      ]) {
        const [before, after] = [await outputOf(graph, mask), await outputOf(fused, mask)];
        expect(after.map(Number.isNaN)).toEqual(before.map(Number.isNaN));
        const apart = before.map((x, i) => (Number.isNaN(x) ? 0 : Math.abs(x - (after[i] ?? Number.NaN))));
        expect(Math.max(...apart)).toBeLessThan(TOLERANCE);
      }
    }
  });

  it('is fused where -Infinity is chosen', () => {
    for (const [name, masking] of Object.entries(maskings).slice(0, 2)) {
      const ops = fuseForInference(attention(masking, NOTHING, true, false)).nodes.map(({ op }) => op);
      expect(ops, name).toContain('Attention');
    }
  });
});
