import type { AttributeInput } from '../../op.ts';
import { flagOf, isComputed, needed, numberOf, outputAt, rankAt, times, turned, type Unfusion } from './fused.ts';
import { fusedNode, sampleOf, weight } from './samples.ts';

const sample = (name: string, attrs: AttributeInput, kind: 'weight' | 'keys' | 'first' = 'keys') =>
  sampleOf(name, (builder, { x, y }) => {
    const [batch = 1, length = 1] = builder.type(x).shape ?? [];
    const matrix = kind === 'weight' ? weight(builder, 'weight', 6, 8) : y;
    const shape = kind === 'weight' ? [batch, length, 6] : kind === 'keys' ? [batch, length, length] : [batch, 8, 8];
    return fusedNode(builder, 'com.microsoft:FusedMatMul', [x, matrix], [shape], attrs);
  });

/** alpha op(a) op(b), op an optional transposition. */
export const fusedMatMul: Unfusion = {
  domain: 'com.microsoft',
  op: 'FusedMatMul',
  plan: (at) => {
    const odd = flagOf(at, 'transBatchA') || flagOf(at, 'transBatchB');
    if (!isComputed(at) || odd || rankAt(at, 0) === undefined || rankAt(at, 1) === undefined) return undefined;
    return () => {
      const [a, b] = ['transA', 'transB'].map((flag, i) =>
        flagOf(at, flag) ? turned(at, needed(at, i)) : needed(at, i),
      );
      const alpha = numberOf(at, 'alpha', 1);
      const name = outputAt(at, 0);
      const product = at.builder.op('MatMul', [a ?? null, b ?? null], {}, alpha === 1 ? name : undefined);
      if (alpha !== 1) times(at, product, alpha, name);
    };
  },
  changes: [
    sample('a scale', { alpha: 0.5, transB: 1 }),
    sample('the first side transposed', { transA: 1 }, 'first'),
    sample('a weight as (out, in)', { transB: 1 }, 'weight'),
  ],
  leaves: [],
};
