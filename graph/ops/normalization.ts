import { refusal } from '../../ground/errors.ts';
import type { Value } from '../graph.ts';
import type { Call, CutRule, Emit, Gradient, Inferred, OpDef, Sample } from '../op.ts';
import type { Port } from './shared-cuts.ts';
import { unsqueeze } from './shared-emit.ts';
import {
  divideByCount,
  floatAttr,
  floats,
  fromEnd,
  labelCut,
  operand,
  reduce,
  scalarLike,
  scale,
} from './shared-math.ts';
import { describe, inputOf, intAttr, noMacs, normalizeAxis } from './shared-structure.ts';
import { along } from './shared-uses.ts';

/** The axes that are normalized: `axis` and all behind it. */
export const normalizedAxes = (call: Call): readonly number[] => {
  const rank = inputOf(call, 0).shape?.length;
  if (rank === undefined) throw refusal(`${describe(call)}: the rank of its input is not known`);
  const axis = normalizeAxis(call, intAttr(call.node, 'axis', -1), rank);
  return Array.from({ length: rank - axis }, (_, i) => axis + i);
};

/** One number a row: the type of means and inverse deviations. */
export const statistics = (call: Call): Inferred => {
  const { shape } = inputOf(call, 0);
  if (shape === undefined) return { dtype: 'float32', shape };
  const axes = normalizedAxes(call);
  return { dtype: 'float32', shape: shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim)) };
};

const inferLayer = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  return [{ dtype, shape }, statistics(call), statistics(call)];
};

const inferRms = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  return [{ dtype, shape }, statistics(call)];
};

const meanOver = (emit: Emit, x: Value, axes: readonly number[]): Value => reduce(emit, 'ReduceMean', x, axes, true);

/** 1 / sqrt(mean(x^2) + epsilon). */
const inverseRootMeanSquare = (emit: Emit, x: Value, axes: readonly number[], epsilon: number): Value => {
  const mean = divideByCount(emit, reduce(emit, 'ReduceSumSquare', x, axes, true), x, axes);
  const shifted = emit.op('Add', [mean, scalarLike(emit, x, epsilon)]);
  return emit.op('Reciprocal', [emit.op('Sqrt', [shifted])]);
};

interface Normalized {
  /** x with mean 0 and variance 1. */
  readonly hat: Value;
  /** 1 / standard deviation. */
  readonly inverse: Value;
}

/**
 * The normalized x once more. In float32 ONNX Runtime's fused kernel with a scale of one yields it in a single pass,
 * with the inverse deviation; that second output is float32 at any type, so float64 computes both step by step.
 */
const normalized = (emit: Emit, x: Value, like: Value, axes: readonly number[], epsilon: number): Normalized => {
  const [axis] = axes;
  if (emit.type(x).dtype === 'float32' && axis !== undefined) {
    const ones = emit.op('Expand', [scalarLike(emit, x, 1), emit.shapeOf(like)]);
    const attrs = { axis, epsilon: { float: epsilon } };
    const [hat, , inverse] = emit.ops('LayerNormalization', [x, ones], 3, attrs);
    if (hat !== undefined && inverse !== undefined) return { hat, inverse };
  }
  const centred = emit.op('Sub', [x, meanOver(emit, x, axes)]);
  const inverse = inverseRootMeanSquare(emit, centred, axes, epsilon);
  return { hat: emit.op('Mul', [centred, inverse]), inverse };
};

/**
 * The mean over `axes` of v * scale. Along the last axis it is a product with a column, which spares writing v * scale.
 */
const weightedMean = (emit: Emit, v: Value, scaleOf: Value, axes: readonly number[]): Value => {
  const width = emit.type(scaleOf).shape?.[0];
  if (axes.length > 1 || typeof width !== 'number' || emit.type(scaleOf).shape?.length !== 1) {
    return meanOver(emit, emit.op('Mul', [v, scaleOf]), axes);
  }
  return emit.op('MatMul', [v, unsqueeze(emit, scale(emit, scaleOf, 1 / width), [1])]);
};

export interface NormalizationGradient {
  readonly dx: Value;
  readonly dscale: Value;
}

/**
 * y = h scale + bias, h = (x - mean) / s, s = sqrt(variance + epsilon) (Ba et al., arXiv 1607.06450):
 *
 *   dbias = dy,  dscale = dy h,  dx = (g - mean(g) - h mean(g h)) / s,  g = dy scale
 *
 * dbias and dscale still have the shape of x: differentiation sums them.
 */
export const layerGradient = (
  emit: Emit,
  dy: Value,
  x: Value,
  scaleOf: Value,
  axes: readonly number[],
  epsilon: number,
): NormalizationGradient => {
  const { hat, inverse } = normalized(emit, x, scaleOf, axes, epsilon);
  const dscale = emit.op('Mul', [dy, hat]);
  const along = emit.op('Mul', [hat, weightedMean(emit, dscale, scaleOf, axes)]);
  const g = emit.op('Sub', [emit.op('Mul', [dy, scaleOf]), along]);
  const centred = emit.op('Sub', [g, weightedMean(emit, dy, scaleOf, axes)]);
  return { dx: emit.op('Mul', [centred, inverse]), dscale };
};

/**
 * y = h scale, h = x / s, s = sqrt(mean(x^2) + epsilon) (Zhang and Sennrich, arXiv 1910.07467):
 *
 *   dscale = dy h,  dx = (g - h mean(g h)) / s,  g = dy scale
 */
export const rmsGradient = (
  emit: Emit,
  dy: Value,
  x: Value,
  scaleOf: Value,
  axes: readonly number[],
  epsilon: number,
): NormalizationGradient => {
  const inverse = inverseRootMeanSquare(emit, x, axes, epsilon);
  const hat = emit.op('Mul', [x, inverse]);
  const dscale = emit.op('Mul', [dy, hat]);
  const along = emit.op('Mul', [hat, weightedMean(emit, dscale, scaleOf, axes)]);
  const g = emit.op('Sub', [emit.op('Mul', [dy, scaleOf]), along]);
  return { dx: emit.op('Mul', [g, inverse]), dscale };
};

/** Gradients of x, scale and, where there is one, bias. Gradients of the statistics outputs are an error. */
const gradient =
  (rule: typeof layerGradient): Gradient =>
  (emit, call, [dy, ...others]) => {
    if (others.some((other) => other != null)) {
      throw refusal(`${describe(call)}: its statistics are not differentiable; compute them with ReduceMean`);
    }
    if (dy == null) return call.node.inputs.map(() => null);
    const [x, scaleOf] = [operand(call, 0), operand(call, 1)];
    const axes = normalizedAxes(call);
    const { dx, dscale } = rule(emit, dy, x, scaleOf, axes, floatAttr(call, 'epsilon', 1e-5));
    return [dx, dscale, dy].slice(0, call.node.inputs.length);
  };

/** The mean along the last axis over what a mask leaves; of nothing at all it is 0. */
const meanOfKept = (emit: Emit, v: Value, mask: Value): Value => {
  const all = emit.op('Max', [reduce(emit, 'ReduceSum', mask, [0], true), scalarLike(emit, v, 1)]);
  return emit.op('Div', [reduce(emit, 'ReduceSum', emit.op('Mul', [v, mask]), [-1], true), all]);
};

/** What is normalised, and by what. */
export interface Normalizing {
  readonly x: Value;
  readonly scale: Value;
  readonly bias: Value | undefined;
  readonly epsilon: number;
  /** Whether the mean is taken off before. */
  readonly centres: boolean;
}

/** Normalisation whose statistics count what a mask m leaves: mean = sum m x / sum m, variance = sum m (x - mean)^2 / sum m. */
export const maskedNorm = (emit: Emit, { x, scale: by, bias, epsilon, centres }: Normalizing, mask: Value): Value => {
  const centred = centres ? emit.op('Sub', [x, meanOfKept(emit, x, mask)]) : x;
  const square = meanOfKept(emit, emit.op('Mul', [centred, centred]), mask);
  const deviation = emit.op('Sqrt', [emit.op('Add', [square, scalarLike(emit, x, epsilon)])]);
  const scaled = emit.op('Mul', [emit.op('Div', [centred, deviation]), by]);
  return bias === undefined ? scaled : emit.op('Add', [scaled, bias]);
};

/** x, scale, bias and y are cut together, also along normalized axes: the statistics then count what is kept. */
const cut = (infer: (call: Call) => readonly Inferred[]): CutRule =>
  labelCut(infer, (_call: Call, _port: Port, shape) => fromEnd(shape), 'has no such axis');

const norm = (op: string, since: number, samples: readonly Sample[]): OpDef => {
  const layer = op === 'LayerNormalization';
  const infer = layer ? inferLayer : inferRms;
  return {
    domain: '',
    op,
    since,
    infer,
    alike: 'all',
    gradient: gradient(layer ? layerGradient : rmsGradient),
    mixes: true,
    masked: {
      axes: normalizedAxes,
      emit: (emit, call, mask) => {
        const [x, by, bias] = [operand(call, 0), operand(call, 1), call.node.inputs[2] ?? undefined];
        return maskedNorm(
          emit,
          { x, scale: by, bias, epsilon: floatAttr(call, 'epsilon', 1e-5), centres: layer },
          mask,
        );
      },
    },
    cut: cut(infer),
    uses: (call) => along(call, { 0: 'table', 1: 'norm', ...(layer ? { 2: 'bias' } : {}) }),
    macs: noMacs,
    samples,
  };
};

const rmsSamples: readonly Sample[] = [
  { name: 'the last axis', inputs: [floats(2, 3, 4), floats(4)] },
  { name: 'with an epsilon', inputs: [floats(2, 3, 4), floats(4)], attrs: { epsilon: { float: 0.1 } } },
];

/** Rows with mean 0 and variance 1, scaled and shifted. ONNX Runtime takes it at any operator set. */
export const layerNormalization: OpDef = {
  ...norm('LayerNormalization', 1, [
    { name: 'with a bias', inputs: [floats(2, 3, 4), floats(4), floats(4)] },
    { name: 'without a bias', inputs: [floats(3, 4), floats(4)], attrs: { epsilon: { float: 1e-3 } } },
    { name: 'over two axes', inputs: [floats(2, 3, 4), floats(3, 4), floats(3, 4)], attrs: { axis: 1 } },
    { name: 'with its statistics', inputs: [floats(2, 3, 4), floats(4), floats(4)], outputs: 3, differentiable: [] },
  ]),
  // Before 1.19 a fusion ends the process where embeddings are normalised without a bias.
  runtime: ({ inputs }) => (inputs[2] === undefined ? 19 : undefined),
};

/** Rows with mean square 1, scaled. */
export const rmsNormalization = norm('RMSNormalization', 23, [
  ...rmsSamples,
  { name: 'over two axes', inputs: [floats(2, 3, 4), floats(3, 4)], attrs: { axis: 1 } },
]);

/** RMSNormalization as ONNX Runtime writes it before operator set 23, in the standard domain though no part of it. */
export const simplifiedLayerNormalization = norm('SimplifiedLayerNormalization', 1, rmsSamples);
