import { refusal } from '../../ground/errors.ts';
import { type Dim, subtractDims } from '../dim.ts';
import type { Call, Inferred, OpDef } from '../op.ts';
import { isWhole, numbersOf } from '../tensor.ts';
import { refuseCut } from './shared-cuts.ts';
import { describe, freshDim, inputOf, noMacs, withInts } from './shared-structure.ts';

/** A scalar input, constant or from shape arithmetic. */
const scalarAt = (call: Call, position: number): Dim | undefined => {
  const tensor = call.constant(position);
  return call.ints(position)?.[0] ?? (tensor === undefined ? undefined : numbersOf(tensor)[0]);
};

const LONGEST_LIST = 64;

const infer = (call: Call): readonly Inferred[] => {
  const { dtype } = inputOf(call, 0);
  const [start, limit, delta] = [0, 1, 2].map((position) => scalarAt(call, position));
  if (start === undefined || limit === undefined || delta === undefined || typeof delta !== 'number') {
    return [{ dtype, shape: [freshDim(call, 0, 0)] }];
  }
  if (typeof start !== 'number' || typeof limit !== 'number') {
    return [{ dtype, shape: [delta === 1 ? subtractDims(limit, start) : freshDim(call, 0, 0)] }];
  }
  const integers = dtype === 'int64' || dtype === 'int32';
  if (delta === 0) throw refusal(`${describe(call)} counts in steps of 0, which never ends`);
  if (integers && ![start, limit, delta, limit - start].every(isWhole)) {
    return [{ dtype, shape: [freshDim(call, 0, 0)] }];
  }
  const length = Math.max(0, Math.ceil((limit - start) / delta));
  const ints = integers && length <= LONGEST_LIST ? Array.from({ length }, (_, i) => start + i * delta) : undefined;
  return [withInts({ dtype, shape: [length] }, ints)];
};

const scalar = (dtype: 'int64' | 'float32', value: number) =>
  ({ dtype, dims: [], data: [value], constant: true }) as const;

/** start, start + delta, ... below limit. */
export const range: OpDef = {
  domain: '',
  op: 'Range',
  since: 11,
  infer,
  gradient: 'stop',
  cut: refuseCut('counts upwards, so no index can go'),
  macs: noMacs,
  samples: [
    { name: 'integers', inputs: [scalar('int64', 0), scalar('int64', 5), scalar('int64', 1)] },
    { name: 'backwards in steps', inputs: [scalar('int64', 7), scalar('int64', 0), scalar('int64', -2)] },
    { name: 'floats', inputs: [scalar('float32', 0), scalar('float32', 1), scalar('float32', 0.25)] },
  ],
};
