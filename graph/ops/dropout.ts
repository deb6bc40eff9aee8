import { refusal } from '../../ground/errors.ts';
import type { Call, Inferred, OpDef, Sample } from '../op.ts';
import { numbersOf } from '../tensor.ts';
import { broadcastCut } from './shared-cuts.ts';
import { floats, gradientOfFirst } from './shared-math.ts';
import { describe, inputOf, noMacs } from './shared-structure.ts';
import { passed } from './shared-uses.ts';

const infer = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  return [
    { dtype, shape },
    { dtype: 'bool', shape },
  ];
};

/** Whether the node may drop elements: its third input is there and not known to be false. */
const mayTrain = (call: Call): boolean => {
  if (call.node.inputs[2] == null) return false;
  const flag = call.constant(2);
  return flag === undefined || numbersOf(flag)[0] !== 0;
};

const record = (since: number, samples: readonly Sample[]): OpDef => ({
  domain: '',
  op: 'Dropout',
  uses: passed,
  since,
  infer,
  gradient: gradientOfFirst((_emit, call, dy) => {
    if (!mayTrain(call)) return dy;
    throw refusal(
      `${describe(call)} may draw its own mask (training_mode); replace it by a product with a mask that is fed`,
    );
  }),
  cut: broadcastCut(infer, [0]),
  macs: noMacs,
  samples,
});

const inference: readonly Sample[] = [
  { name: 'inference', inputs: [floats(2, 3)] },
  { name: 'with its mask', inputs: [floats(2, 3)], outputs: 2 },
];

/**
 * The identity, as ONNX defines Dropout for inference:  dx = dy. Masks in training are drawn on the host, so a node
 * that draws its own is refused. The ratio is an attribute before opset 12 and an input since.
 */
export const dropout: readonly OpDef[] = [
  record(7, inference),
  record(12, [
    ...inference,
    { name: 'with a ratio', inputs: [floats(2, 3), { dtype: 'float32', dims: [], data: [0.3], constant: true }] },
  ]),
];
