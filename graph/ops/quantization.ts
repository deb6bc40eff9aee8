import type { Shape } from '../dim.ts';
import type { Call, CutRule, Inferred, OpDef, Sample } from '../op.ts';
import type { DType } from '../tensor.ts';
import { matmulLabels, matmulMacs, matmulShape } from './matmul.ts';
import type { Port } from './shared-cuts.ts';
import { floats, type Labels, labelCut } from './shared-math.ts';
import { dtypeOfNumber, inputOf, intAttr, noMacs, normalizeAxis } from './shared-structure.ts';
import { along, matrix, passed, settings } from './shared-uses.ts';

/** The element type that an attribute names, else that of an optional input, else a default. */
const targetType = (call: Call, input: number, fallback: DType): DType => {
  const named = intAttr(call.node, 'output_dtype', 0);
  return named > 0 ? dtypeOfNumber(call, named) : (call.inputs[input]?.dtype ?? fallback);
};

const inferQuantize = (call: Call): readonly Inferred[] => [
  { dtype: targetType(call, 2, 'uint8'), shape: inputOf(call, 0).shape },
];

const inferDequantize = (call: Call): readonly Inferred[] => [
  { dtype: targetType(call, 1, 'float32'), shape: inputOf(call, 0).shape },
];

const inferDynamic = (call: Call): readonly Inferred[] => [
  { dtype: 'uint8', shape: inputOf(call, 0).shape },
  { dtype: 'float32', shape: [] },
  { dtype: 'uint8', shape: [] },
];

/** Scales and zero points: one number, one an index of `axis`, or one a block of indices along it. */
const quantizedLabels = (call: Call, port: Port, shape: Shape): Labels => {
  const rank = inputOf(call, 0).shape?.length ?? 0;
  const axis = rank === 0 ? 0 : normalizeAxis(call, intAttr(call.node, 'axis', 1), Math.max(rank, 2));
  const blocked = intAttr(call.node, 'block_size', 0) > 0;
  const all = Array.from({ length: rank }, (_, i) => (blocked && i === axis ? null : `${i}`));
  if (port.kind === 'output' || port.position === 0) return port.kind === 'output' && port.position > 0 ? [] : all;
  return shape.length === rank && blocked ? all : shape.map(() => `${axis}`);
};

const quantizedCut = (infer: (call: Call) => readonly Inferred[]): CutRule =>
  labelCut(infer, quantizedLabels, 'shares scales between blocks of that axis');

const scale = (...data: readonly number[]) =>
  ({ dtype: 'float32', dims: data.length === 1 ? [] : [data.length], data }) as const;
const zero = (dtype: 'uint8' | 'int8', ...data: readonly number[]) =>
  ({ dtype, dims: data.length === 1 ? [] : [data.length], data }) as const;
const bytes = (...dims: readonly number[]) => ({ dtype: 'uint8', dims, max: 9 }) as const;
const signed = (...dims: readonly number[]) => ({ dtype: 'int8', dims, range: [-9, 9] }) as const;

/** y = round(x / scale) + zero point, saturated. Training goes through no quantized graph, so it has no rule. */
export const quantizeLinear: OpDef = {
  domain: '',
  op: 'QuantizeLinear',
  since: 10,
  infer: inferQuantize,
  gradient: 'none',
  cut: quantizedCut(inferQuantize),
  uses: () => [...passed(), ...settings(1, 2)],
  macs: noMacs,
  samples: [
    { name: 'one scale', inputs: [floats(2, 3), scale(0.1), zero('uint8', 128)] },
    { name: 'unsigned without a zero point', inputs: [floats(2, 3), scale(0.1)] },
  ],
};

const perAxis: Sample = {
  name: 'a scale a column',
  inputs: [signed(2, 3), scale(0.1, 0.2, 0.3), zero('int8', 0, 1, 2)],
  attrs: { axis: 1 },
};

/** y = (x - zero point) scale. */
export const dequantizeLinear: readonly OpDef[] = [10, 13].map((since) => ({
  domain: '',
  op: 'DequantizeLinear',
  since,
  infer: inferDequantize,
  gradient: 'none',
  cut: quantizedCut(inferDequantize),
  uses: () => [...passed(), ...settings(1, 2)],
  macs: noMacs,
  samples: [
    { name: 'one scale', inputs: [bytes(2, 3), scale(0.1), zero('uint8', 4)] },
    ...(since >= 13 ? [perAxis, { ...perAxis, name: 'counted from the end', attrs: { axis: -1 } }] : []),
  ],
}));

/** Scale and zero point from the extremes of x, zero included, and x in them. */
export const dynamicQuantizeLinear: OpDef = {
  domain: '',
  op: 'DynamicQuantizeLinear',
  since: 11,
  infer: inferDynamic,
  gradient: 'none',
  cut: quantizedCut(inferDynamic),
  batchDependent: true,
  macs: noMacs,
  samples: [{ name: 'a matrix', inputs: [floats(2, 3)], outputs: 3 }],
};

const inferInteger = (call: Call): readonly Inferred[] => [
  { dtype: 'int32', shape: matmulShape(call, inputOf(call, 0).shape, inputOf(call, 1).shape) },
];

/** A vector of zero points or scales belongs to the rows of a and to the columns of b; single numbers to neither. */
const sideLabels = (port: Port, shape: Shape, rows: readonly number[]): Labels =>
  shape.map((_, axis) => (axis < shape.length - 1 ? null : rows.includes(port.position) ? 'm' : 'n'));

const integerLabels = (call: Call, port: Port, shape: Shape): Labels =>
  port.kind === 'output' || port.position < 2 ? matmulLabels(call, port, shape) : sideLabels(port, shape, [2]);

/** y = (a - zero point of a) (b - zero point of b) in int32. */
export const matmulInteger: OpDef = {
  domain: '',
  op: 'MatMulInteger',
  since: 10,
  infer: inferInteger,
  gradient: 'none',
  cut: labelCut(inferInteger, integerLabels, 'has no such axis'),
  batchDependent: true,
  uses: (call) => [matrix(call, 0, true), { ...matrix(call, 1, false), zero: 3 }, ...settings(2, 3)],
  macs: matmulMacs,
  samples: [
    { name: 'without zero points', inputs: [bytes(2, 3), signed(3, 4)], macs: 24 },
    { name: 'with zero points', inputs: [bytes(2, 5, 3), signed(3, 4), zero('uint8', 4), zero('int8', 1)], macs: 120 },
    {
      name: 'a zero point a column',
      inputs: [bytes(2, 3), signed(3, 4), zero('uint8', 4), zero('int8', 1, 0, 2, 1)],
      macs: 24,
    },
  ],
};

const inferToFloat = (call: Call): readonly Inferred[] => [
  { dtype: 'float32', shape: matmulShape(call, inputOf(call, 0).shape, inputOf(call, 1).shape) },
];

/** y = a (b - zero point) scale + bias, a quantized on the way in. */
export const dynamicQuantizeMatMul: OpDef = {
  domain: 'com.microsoft',
  op: 'DynamicQuantizeMatMul',
  since: 1,
  infer: inferToFloat,
  gradient: 'none',
  cut: labelCut(
    inferToFloat,
    (call, port, shape) =>
      port.kind === 'output' || port.position < 2 ? matmulLabels(call, port, shape) : sideLabels(port, shape, []),
    'has no such axis',
  ),
  batchDependent: true,
  uses: (call) => [
    matrix(call, 0, true),
    { ...matrix(call, 1, false), steps: 2, zero: 3 },
    ...settings(2, 3),
    ...along(call, { 4: 'bias' }),
  ],
  macs: matmulMacs,
  samples: [
    { name: 'one scale', inputs: [floats(2, 3), signed(3, 4), scale(0.1)], macs: 24 },
    {
      name: 'a scale a column, with a bias',
      inputs: [floats(2, 5, 3), signed(3, 4), scale(0.1, 0.2, 0.1, 0.3), zero('int8', 0, 0, 0, 0), floats(4)],
      macs: 120,
    },
  ],
};

/** y = (a - zero point) scale (b - zero point) scale + bias. */
export const matmulIntegerToFloat: OpDef = {
  domain: 'com.microsoft',
  op: 'MatMulIntegerToFloat',
  since: 1,
  infer: inferToFloat,
  gradient: 'none',
  cut: labelCut(
    inferToFloat,
    (call, port, shape) =>
      port.kind === 'output' || port.position < 2 ? matmulLabels(call, port, shape) : sideLabels(port, shape, [2, 4]),
    'has no such axis',
  ),
  batchDependent: true,
  uses: (call) => [
    matrix(call, 0, true),
    { ...matrix(call, 1, false), steps: 3, zero: 5 },
    ...settings(2, 3, 4, 5),
    ...along(call, { 6: 'bias' }),
  ],
  macs: matmulMacs,
  samples: [
    {
      name: 'one scale a side',
      inputs: [bytes(2, 3), signed(3, 4), scale(0.1), scale(0.2), zero('uint8', 4)],
      macs: 24,
    },
    {
      name: 'a scale a column, with a bias',
      inputs: [bytes(2, 3), signed(3, 4), scale(0.1), scale(0.1, 0.2, 0.1, 0.3), zero('uint8', 4), null, floats(4)],
      macs: 24,
    },
  ],
};
