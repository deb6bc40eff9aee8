import { type Dim, multiplyDims, productOf } from '../dim.ts';
import type { Call, Inferred, OpDef } from '../op.ts';
import type { Port } from './shared-cuts.ts';
import { floats, type Labels, labelCut } from './shared-math.ts';
import { inputOf, intAttr, noMacs } from './shared-structure.ts';
import { along, settings } from './shared-uses.ts';

const REFUSED = 'stands in blocks that share scales';

/** Axes that stand in front of the width stay with the ports that have them; numbers in blocks are cut nowhere. */
const stackLabels = (port: Port, shape: readonly Dim[], own: number, behind: number): Labels => {
  const front = port.kind === 'output' ? shape.length - 1 : port.position === own ? shape.length - behind : 0;
  return shape.map((_, axis) => (axis < front ? `${axis}` : null));
};

const inferProduct = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  return [{ dtype, shape: shape === undefined ? undefined : [...shape.slice(0, -1), intAttr(call.node, 'N', 0)] }];
};

const whole = (...dims: readonly number[]) => ({ dtype: 'uint8', dims, max: 250 }) as const;
const scales = (...dims: readonly number[]) => ({ dtype: 'float32', dims, range: [0.05, 0.2] }) as const;
const fourBits = { bits: 4, block_size: 16 };

/**
 * y = a W + bias, W (K, N) in whole numbers of few bits: (N, blocks, bytes), a scale and perhaps a zero point a block of inputs.
 *
 * ONNX Runtime, ContribOperators.md, MatMulNBits.
 */
export const matMulNBits: OpDef = {
  domain: 'com.microsoft',
  op: 'MatMulNBits',
  since: 1,
  infer: inferProduct,
  gradient: 'none',
  cut: labelCut(inferProduct, (_, port, shape) => stackLabels(port, shape, 0, 1), REFUSED),
  uses: (call) => [
    {
      ...{ input: 1, kind: 'linear', inner: 2, outer: 0, steps: 2, zero: 3 },
      numbers: intAttr(call.node, 'K', 0) * intAttr(call.node, 'N', 0),
    },
    ...settings(2, 3, 4),
    ...along(call, { 5: 'bias' }),
  ],
  macs: (call) => {
    const { shape } = inputOf(call, 0);
    return shape === undefined ? 0 : multiplyDims(productOf(shape), intAttr(call.node, 'N', 0));
  },
  samples: [
    {
      name: 'four bits, zero in the middle',
      inputs: [floats(2, 3, 32), whole(4, 2, 8), scales(8)],
      attrs: { ...fourBits, K: 32, N: 4 },
      macs: 768,
    },
    {
      name: 'four bits with zero points and a width that fills no block',
      inputs: [floats(2, 24), whole(4, 2, 8), scales(8), whole(4)],
      attrs: { ...fourBits, K: 24, N: 4 },
      macs: 192,
    },
    {
      name: 'eight bits',
      inputs: [floats(3, 32), whole(4, 1, 32), scales(4)],
      attrs: { bits: 8, block_size: 32, K: 32, N: 4 },
      macs: 384,
    },
  ],
};

/** Numbers in a byte of the table. */
const perByte = (call: Call): number =>
  call.inputs[0]?.dtype === 'uint8' ? Math.floor(8 / intAttr(call.node, 'bits', 4)) : 1;

const inferRows = (call: Call): readonly Inferred[] => {
  const { dtype } = inputOf(call, 2);
  const [table, ids] = [inputOf(call, 0).shape, inputOf(call, 1).shape];
  const width = table?.at(-1);
  if (ids === undefined || table?.length !== 2 || width === undefined) return [{ dtype, shape: undefined }];
  return [{ dtype, shape: [...ids, multiplyDims(width, perByte(call))] }];
};

/**
 * Rows of a table in whole numbers of few bits, as floats: `block_size` numbers of a row share a scale and perhaps a zero point.
 *
 * ONNX Runtime, ContribOperators.md, GatherBlockQuantized.
 */
export const gatherBlockQuantized: OpDef = {
  domain: 'com.microsoft',
  op: 'GatherBlockQuantized',
  since: 1,
  infer: inferRows,
  gradient: 'none',
  cut: labelCut(inferRows, (_, port, shape) => stackLabels(port, shape, 1, 0), REFUSED),
  uses: (call) => {
    const [rows = 0, width = 0] = call.inputs[0]?.shape ?? [];
    const numbers = typeof rows === 'number' && typeof width === 'number' ? rows * width * perByte(call) : 0;
    return [{ input: 0, kind: 'lookup', axis: 0, ...(perByte(call) === 1 ? {} : { numbers }) }, ...settings(2, 3)];
  },
  macs: noMacs,
  samples: [
    {
      name: 'four bits, zero in the middle',
      inputs: [whole(5, 16), { dtype: 'int64', dims: [2, 3], max: 5 }, scales(5, 2)],
      attrs: { bits: 4, block_size: 16, gather_axis: 0, quantize_axis: 1 },
    },
    {
      name: 'four bits with zero points',
      inputs: [whole(5, 16), { dtype: 'int64', dims: [4], max: 5 }, scales(5, 2), whole(5, 1)],
      attrs: { bits: 4, block_size: 16, gather_axis: 0, quantize_axis: 1 },
    },
  ],
};
