import type { OpDef } from '../op.ts';
import { argMax, argMin } from './arg.ts';
import { cast, castLike } from './cast.ts';
import { comparisons } from './comparisons.ts';
import { concat } from './concat.ts';
import { constant, constantOfShape } from './constant.ts';
import { cumSum } from './cum-sum.ts';
import { nonZero, unique } from './data-dependent.ts';
import { gatherElements, scatterElements } from './elements.ts';
import { expand } from './expand.ts';
import { eyeLike } from './eye-like.ts';
import { flatten } from './flatten.ts';
import { gather } from './gather.ts';
import { gatherND } from './gather-nd.ts';
import { identity } from './identity.ts';
import { mod } from './mod.ts';
import { oneHot } from './one-hot.ts';
import { pad } from './pad.ts';
import { range } from './range.ts';
import { reshape } from './reshape.ts';
import { rounding } from './rounding.ts';
import { scatterND } from './scatter-nd.ts';
import { shape, size } from './shape.ts';
import { slice } from './slice.ts';
import { split } from './split.ts';
import { tile } from './tile.ts';
import { topK } from './top-k.ts';
import { transpose } from './transpose.ts';
import { trilu } from './trilu.ts';
import { squeeze, unsqueeze } from './unsqueeze.ts';
import { where } from './where.ts';

/** Every operator decant knows, one record each. The newest record whose `since` fits the graph's opset is used. */
export const ops: readonly OpDef[] = [
  argMax,
  argMin,
  ...comparisons,
  constant,
  constantOfShape,
  cumSum,
  eyeLike,
  flatten,
  gatherElements,
  ...gatherND,
  mod,
  nonZero,
  oneHot,
  ...pad,
  range,
  ...rounding,
  ...scatterElements,
  ...scatterND,
  tile,
  topK,
  trilu,
  unique,
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
