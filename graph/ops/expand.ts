import type { Dim } from '../dim.ts';
import type { Call, Inferred, OpDef, Resize } from '../op.ts';
import { vector } from '../tensor.ts';
import { broadcastCut } from './shared-cuts.ts';
import { broadcastInts, broadcastShapes, freshDim, inputOf, noMacs, numbersAt, withInts } from './shared-structure.ts';
import { passed } from './shared-uses.ts';

const target = (call: Call): readonly Dim[] | undefined => {
  const rank = call.inputs[1]?.shape?.[0];
  if (typeof rank !== 'number') return call.ints(1);
  return call.ints(1) ?? Array.from({ length: rank }, (_, axis) => freshDim(call, 0, axis));
};

const infer = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  const to = broadcastShapes(call, [shape, target(call)]);
  const ints = call.ints(0);
  const spread =
    ints === undefined || shape === undefined || to === undefined ? undefined : broadcastInts(ints, shape, to);
  return [withInts({ dtype, shape: to }, spread)];
};

const resize: Resize = (call, sizes) => {
  const [output] = call.node.outputs;
  const to = output === undefined ? undefined : sizes(output);
  const old = numbersAt(call, 1);
  if (to === undefined || old === undefined) return {};
  // An entry of one leaves the input's size alone, so it stays right whatever that becomes.
  const entries = old.map((entry, i) => (entry === 1 ? 1 : to[to.length - old.length + i]));
  const numbers = entries.filter((entry) => typeof entry === 'number');
  if (numbers.length < entries.length || numbers.join() === old.join()) return {};
  return { inputs: [undefined, vector('int64', numbers)] };
};

const shapeInput = (data: readonly number[]) =>
  ({ dtype: 'int64', dims: [data.length], data, constant: true }) as const;

/** Numpy broadcasting made explicit; the sum that undoes it in the gradient belongs to differentiation. */
export const expand: OpDef = {
  domain: '',
  op: 'Expand',
  uses: passed,
  since: 8,
  infer,
  gradient: (_emit, _call, [dy]) => [dy ?? null, null],
  cut: broadcastCut(infer, [0]),
  resize,
  target: { input: 1, entries: (_, output) => output },
  macs: noMacs,
  samples: [
    { name: 'repeats a row', inputs: [{ dtype: 'float32', dims: [1, 3] }, shapeInput([4, 3])] },
    { name: 'adds an axis', inputs: [{ dtype: 'float32', dims: [3, 1] }, shapeInput([2, 1, 4])] },
    { name: 'a scalar', inputs: [{ dtype: 'float32', dims: [] }, shapeInput([2, 3])] },
  ],
};
