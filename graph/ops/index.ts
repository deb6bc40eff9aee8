import type { OpDef } from '../op.ts';
import { elu, hardSwish, mish, prelu, selu, softsign } from './activations.ts';
import { argMax, argMin } from './arg.ts';
import { add, div, mul, sub } from './arithmetic.ts';
import { batchNormalization } from './batch-normalization.ts';
import { gatherBlockQuantized, matMulNBits } from './blocks.ts';
import { cast, castLike } from './cast.ts';
import { comparisons } from './comparisons.ts';
import { compress } from './compress.ts';
import { concat } from './concat.ts';
import { constant, constantOfShape } from './constant.ts';
import { conv } from './conv.ts';
import { cumSum } from './cum-sum.ts';
import { nonZero, unique } from './data-dependent.ts';
import { dropout } from './dropout.ts';
import { einsum } from './einsum.ts';
import { gatherElements, scatterElements } from './elements.ts';
import { expand } from './expand.ts';
import { clip, max, mean, min, sum } from './extrema.ts';
import { eyeLike } from './eye-like.ts';
import { flatten } from './flatten.ts';
import { contribAttention, embedLayerNormalization, quantizedAttention } from './fused-attention.ts';
import { fusedMatMul } from './fused-matmul.ts';
import { gather } from './gather.ts';
import { gatherND } from './gather-nd.ts';
import { biasGelu, contribGelu, fastGelu, gelu, quickGelu } from './gelu.ts';
import { fusedGemm, gemm } from './gemm.ts';
import { identity } from './identity.ts';
import { choice } from './if.ts';
import { matmul } from './matmul.ts';
import { mod } from './mod.ts';
import { multiHeadAttention } from './multi-head-attention.ts';
import { layerNormalization, rmsNormalization, simplifiedLayerNormalization } from './normalization.ts';
import { oneHot } from './one-hot.ts';
import { pad } from './pad.ts';
import { globalAveragePool, globalMaxPool } from './pooling.ts';
import { pow } from './pow.ts';
import {
  dequantizeLinear,
  dynamicQuantizeLinear,
  dynamicQuantizeMatMul,
  matmulInteger,
  matmulIntegerToFloat,
  quantizeLinear,
} from './quantization.ts';
import { range } from './range.ts';
import { reductions } from './reductions.ts';
import { reshape } from './reshape.ts';
import { contribRotaryEmbedding, rotaryEmbedding } from './rotary-embedding.ts';
import { rounding } from './rounding.ts';
import { scatterND } from './scatter-nd.ts';
import { shape, size } from './shape.ts';
import { skipLayerNormalization, skipSimplifiedLayerNormalization } from './skip-normalization.ts';
import { slice } from './slice.ts';
import { logSoftmax, softmax } from './softmax.ts';
import { split } from './split.ts';
import { tile } from './tile.ts';
import { topK } from './top-k.ts';
import { transpose } from './transpose.ts';
import { trilu } from './trilu.ts';
import {
  abs,
  cos,
  erf,
  exp,
  hardSigmoid,
  leakyRelu,
  log,
  neg,
  reciprocal,
  relu,
  sigmoid,
  sin,
  softplus,
  sqrt,
  tanh,
} from './unary.ts';
import { squeeze, unsqueeze } from './unsqueeze.ts';
import { where } from './where.ts';
import { averagePool, maxPool } from './windows.ts';

/** Every operator decant knows, one record each. The newest record whose `since` fits the graph's opset is used. */
export const ops: readonly OpDef[] = [
  add,
  sub,
  mul,
  div,
  ...pow,
  max,
  min,
  mean,
  sum,
  clip,
  neg,
  abs,
  sqrt,
  reciprocal,
  exp,
  log,
  sin,
  cos,
  tanh,
  sigmoid,
  relu,
  leakyRelu,
  softplus,
  hardSigmoid,
  elu,
  selu,
  hardSwish,
  mish,
  softsign,
  prelu,
  erf,
  gelu,
  contribGelu,
  quickGelu,
  biasGelu,
  fastGelu,
  matmul,
  einsum,
  gemm,
  ...softmax,
  ...logSoftmax,
  ...reductions,
  layerNormalization,
  batchNormalization,
  rmsNormalization,
  simplifiedLayerNormalization,
  ...dropout,
  quantizeLinear,
  ...dequantizeLinear,
  dynamicQuantizeLinear,
  matmulInteger,
  dynamicQuantizeMatMul,
  matmulIntegerToFloat,
  matMulNBits,
  gatherBlockQuantized,
  fusedGemm,
  fusedMatMul,
  skipLayerNormalization,
  skipSimplifiedLayerNormalization,
  multiHeadAttention,
  contribAttention,
  quantizedAttention,
  embedLayerNormalization,
  argMax,
  argMin,
  ...comparisons,
  compress,
  constant,
  constantOfShape,
  conv,
  cumSum,
  eyeLike,
  flatten,
  gatherElements,
  averagePool,
  maxPool,
  globalAveragePool,
  globalMaxPool,
  ...gatherND,
  mod,
  nonZero,
  oneHot,
  ...pad,
  range,
  rotaryEmbedding,
  contribRotaryEmbedding,
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
  choice,
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

/** The first operator set with an operator as decant writes it; undefined for those that it has no record of. */
export const firstOpset = (domain: string, op: string): number | undefined =>
  byName.get(`${domain}:${op}`)?.at(-1)?.since;
