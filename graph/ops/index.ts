import type { OpDef } from '../op.ts';
import { cast, castLike } from './cast.ts';
import { concat } from './concat.ts';
import { expand } from './expand.ts';
import { gather } from './gather.ts';
import { identity } from './identity.ts';
import { reshape } from './reshape.ts';
import { shape, size } from './shape.ts';
import { slice } from './slice.ts';
import { split } from './split.ts';
import { transpose } from './transpose.ts';
import { squeeze, unsqueeze } from './unsqueeze.ts';
import { where } from './where.ts';

/** Every operator decant knows, one record each. The newest record whose `since` fits the graph's opset is used. */
export const ops: readonly OpDef[] = [
  cast,
  castLike,
  concat,
  expand,
  gather,
  identity,
  reshape,
  ...shape,
  size,
  slice,
  ...split,
  ...squeeze,
  transpose,
  ...unsqueeze,
  where,
];

const byName = new Map<string, OpDef[]>();
for (const op of ops) {
  const key = `${op.domain}:${op.op}`;
  byName.set(
    key,
    [...(byName.get(key) ?? []), op].sort((a, b) => b.since - a.since),
  );
}

/** The record for an operator at an opset version, or undefined where decant does not know it. */
export const findOp = (domain: string, op: string, opset: number): OpDef | undefined =>
  byName.get(`${domain === 'ai.onnx' ? '' : domain}:${op}`)?.find((record) => record.since <= opset);
