import { addDims, type Dim, divideDims, multiplyDims, productOf, type Shape } from '../dim.ts';
import type { Call, Inferred, OpDef, Use } from '../op.ts';
import type { Port } from './shared-cuts.ts';
import { floats, type Labels, labelCut } from './shared-math.ts';
import { inputOf, intAttr, intsAttr } from './shared-structure.ts';
import { along, matrix, settings } from './shared-uses.ts';

/** Width of the values over all heads: a third of the packed weight, or what the node says. */
const valueWidth = (call: Call): Dim | undefined => {
  const packed = inputOf(call, 1).shape?.[1];
  return intsAttr(call.node, 'qkv_hidden_sizes')?.[2] ?? (packed === undefined ? undefined : divideDims(packed, 3));
};

const inferAs =
  (dtypeFrom: number) =>
  (call: Call): readonly Inferred[] => {
    const { shape } = inputOf(call, 0);
    const { dtype } = inputOf(call, dtypeFrom);
    const [batch, length] = shape ?? [];
    const width = valueWidth(call);
    if (batch === undefined || length === undefined || width === undefined) {
      return [
        { dtype, shape: undefined },
        { dtype, shape: undefined },
      ];
    }
    return [
      { dtype, shape: [batch, length, width] },
      { dtype, shape: undefined },
    ];
  };

/** Only the input's width can go: heads are packed into one matrix with Q, K and V side by side. */
const labels = (_call: Call, port: Port, shape: Shape): Labels => {
  if (port.kind === 'input' && port.position === 0) return [null, null, 'hidden'];
  if (port.kind === 'input' && port.position === 1) return ['hidden', null];
  return shape.map(() => null);
};

const packedUses = (call: Call): readonly Use[] => [matrix(call, 1, false), ...along(call, { 2: 'bias' })];

/** The packed projection, then scores and weighted values of every pair of positions. */
const macs = (call: Call): Dim => {
  const [x, weight] = [inputOf(call, 0).shape, inputOf(call, 1).shape];
  const [batch, length, hidden] = x ?? [];
  const packed = weight?.[1];
  const width = valueWidth(call);
  if (batch === undefined || length === undefined || hidden === undefined) return 0;
  if (packed === undefined || width === undefined) return 0;
  const projection = productOf([batch, length, hidden, packed]);
  const pairs = productOf([batch, length, length, multiplyDims(2, width)]);
  return addDims(projection, pairs);
};

const packedSample = {
  name: 'self-attention',
  inputs: [floats(2, 3, 8), { ...floats(8, 24), constant: true }, { ...floats(24), constant: true }],
  attrs: { num_heads: 2 },
  macs: 2 * 3 * 8 * 24 + 2 * 3 * 3 * 16,
} as const;

/** Self-attention with Q, K and V projected by one packed matrix, fused. For inference only. */
export const contribAttention: OpDef = {
  domain: 'com.microsoft',
  op: 'Attention',
  since: 1,
  infer: inferAs(0),
  gradient: 'none',
  cut: labelCut(inferAs(0), labels, 'packs Q, K and V of all heads into one matrix'),
  uses: packedUses,
  macs,
  samples: [packedSample],
};

/** The same with an integer input and matrix; scales and zero points follow as inputs. */
export const quantizedAttention: OpDef = {
  domain: 'com.microsoft',
  op: 'QAttention',
  since: 1,
  infer: inferAs(3),
  gradient: 'none',
  cut: labelCut(inferAs(3), labels, 'packs Q, K and V of all heads into one matrix'),
  batchDependent: true,
  uses: (call) => [
    { ...matrix(call, 1, false), steps: 4, zero: 7 },
    ...along(call, { 2: 'bias' }),
    ...settings(3, 4, 6, 7),
  ],
  macs,
  samples: [
    {
      ...packedSample,
      inputs: [
        { dtype: 'uint8', dims: [2, 3, 8], max: 9 },
        { dtype: 'int8', dims: [8, 24], range: [-9, 9], constant: true },
        { ...floats(24), constant: true },
        { dtype: 'float32', dims: [], data: [0.1] },
        { dtype: 'float32', dims: [], data: [0.2] },
      ],
    },
  ],
};

const inferEmbedding = (call: Call): readonly Inferred[] => {
  const [ids, words] = [inputOf(call, 0).shape, inputOf(call, 2)];
  const [batch, length] = ids ?? [];
  const hidden = words.shape?.[1];
  const known = batch !== undefined && length !== undefined && hidden !== undefined;
  const type: Inferred = { dtype: words.dtype, shape: known ? [batch, length, hidden] : undefined };
  const byPosition = intAttr(call.node, 'mask_index_type', 1) > 1;
  const mask = batch === undefined || length === undefined ? undefined : byPosition ? [batch, length] : [batch];
  return [type, { dtype: 'int32', shape: mask }, type];
};

/** The hidden width is the one axis that tables, norm and output share. */
const embeddingLabels = (_call: Call, port: Port, shape: Shape): Labels => {
  const holdsHidden = port.kind === 'output' ? port.position !== 1 : port.position >= 2 && port.position <= 6;
  return shape.map((_, axis) => (holdsHidden && axis === shape.length - 1 ? 'hidden' : null));
};

const ids = { dtype: 'int32', dims: [2, 3], max: 4 } as const;

/** Word, position and segment embeddings summed and normalised, fused. For inference only. */
export const embedLayerNormalization: OpDef = {
  domain: 'com.microsoft',
  op: 'EmbedLayerNormalization',
  since: 1,
  infer: inferEmbedding,
  gradient: 'none',
  masked: 'never',
  cut: labelCut(inferEmbedding, embeddingLabels, 'looks its rows up by position'),
  uses: (call) => [
    ...[2, 3, 4].map((input): Use => ({ input, kind: 'lookup', axis: 0 })),
    ...along(call, { 5: 'norm', 6: 'bias' }),
  ],
  macs: () => 0,
  samples: [
    {
      name: 'with segments',
      inputs: [ids, { ...ids, max: 2 }, floats(5, 4), floats(6, 4), floats(2, 4), floats(4), floats(4)],
      outputs: 2,
    },
    {
      name: 'without segments',
      inputs: [ids, null, floats(5, 4), floats(6, 4), null, floats(4), floats(4)],
      outputs: 2,
    },
  ],
};
