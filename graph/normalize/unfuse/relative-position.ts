import type { Value } from '../../graph.ts';
import { type Fused, flagOf, isComputed, needed, numberOf, outputAt, sizeAt, type Unfusion } from './fused.ts';

const [TABLE, QUERIES, KEYS] = [0, 1, 2];

/** 0, 1, .. up to a length that is an input. */
const countedTo = ({ builder }: Fused, length: Value): Value => {
  const end = builder.op('Reshape', [length, builder.ints([])]);
  return builder.op('Range', [builder.scalar('int64', 0), end, builder.scalar('int64', 1)]);
};

/** Half of the buckets are for distances one by one, the others for ever more of them (Raffel et al., arXiv 1910.10683). */
const bucketOf = (at: Fused, distance: Value, buckets: number): Value => {
  const { builder } = at;
  const int = (number: number): Value => builder.scalar('int64', number);
  const float = (number: number): Value => builder.scalar('float32', number);
  const exact = Math.floor(buckets / 2);
  const apart = builder.op('Cast', [builder.op('Max', [distance, int(1)])], { to: 1 });
  const log = builder.op('Log', [builder.op('Div', [apart, float(exact)])]);
  const share = builder.op('Div', [log, float(Math.log(numberOf(at, 'max_distance', 128) / exact))]);
  const steps = builder.op('Cast', [builder.op('Mul', [share, float(buckets - exact)])], { to: 7 });
  const far = builder.op('Min', [builder.op('Add', [steps, int(exact)]), int(buckets - 1)]);
  return builder.op('Where', [builder.op('Less', [distance, int(exact)]), distance, far]);
};

const write = (at: Fused, buckets: number): void => {
  const { builder } = at;
  const zero = builder.scalar('int64', 0);
  const queries = builder.op('Unsqueeze', [countedTo(at, needed(at, QUERIES)), builder.ints([1])]);
  const ahead = builder.op('Sub', [countedTo(at, needed(at, KEYS)), queries]); // (queries, keys)
  const bothWays = flagOf(at, 'is_bidirectional');
  const distance = bothWays ? builder.op('Abs', [ahead]) : builder.op('Max', [builder.op('Neg', [ahead]), zero]);
  const own = bothWays ? buckets / 2 : buckets;
  const bucket = bucketOf(at, distance, own);
  const later = (): Value =>
    builder.op('Where', [builder.op('Greater', [ahead, zero]), builder.scalar('int64', own), zero]);
  const index = bothWays ? builder.op('Add', [later(), bucket]) : bucket;
  // Its shape is (buckets, heads), its numbers lie as those of (heads, buckets) do.
  const table = builder.op('Reshape', [needed(at, TABLE), builder.ints([-1, buckets])]);
  const numbers = builder.op('Gather', [table, index], { axis: 1 }); // (heads, queries, keys)
  builder.op('Unsqueeze', [numbers, builder.ints([0])], {}, outputAt(at, 0));
};

/** A learned number for each head and each bucket of distances: (1, heads, queries, keys). ONNX Runtime's CPU has no kernel. */
export const relativePositionBias: Unfusion = {
  domain: 'com.microsoft',
  op: 'RelativePositionBias',
  plan: (at) => {
    const buckets = sizeAt(at, TABLE, 0);
    return buckets === undefined || !isComputed(at) ? undefined : () => write(at, buckets);
  },
  changes: [],
  leaves: [],
};
