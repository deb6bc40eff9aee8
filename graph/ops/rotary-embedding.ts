import type { OpDef, Sample } from '../op.ts';
import { refuseCut } from './shared-cuts.ts';
import { floats, inferSame } from './shared-math.ts';
import { noMacs } from './shared-structure.ts';
import { settings } from './shared-uses.ts';

/** Turns pairs of channels by angles of their positions (Su et al., arXiv 2104.09864), from tables that nobody learns. For inference only. */
const record = (domain: string, since: number, caches: readonly number[], sample: Sample): OpDef => ({
  domain,
  op: 'RotaryEmbedding',
  since,
  infer: inferSame,
  gradient: 'none',
  cut: refuseCut('turns channels in pairs'),
  uses: () => settings(...caches),
  macs: noMacs,
  samples: [sample],
});

const heads = floats(1, 2, 3, 4);
const table = floats(5, 2);
const positions = { dtype: 'int64', dims: [1, 3], data: [0, 1, 2] } as const;

/** As a standard operator. */
export const rotaryEmbedding = record('', 23, [1, 2], {
  name: 'heads at their positions',
  inputs: [heads, table, table, positions],
});

/** As ONNX Runtime's own. */
export const contribRotaryEmbedding = record('com.microsoft', 1, [2, 3], {
  name: 'heads at their positions',
  inputs: [heads, positions, table, table],
});
