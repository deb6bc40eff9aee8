import { z } from 'zod';
import { unigramTokenizer } from '../../data/tokenizers/unigram.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { float32Of, type Tensor, tensorOf } from '../../graph/tensor.ts';
import { type Parameters, textInputs } from '../blocks.ts';
import { type EncoderShape, emitEncoder } from '../emit-encoder.ts';
import { textModelType } from '../facts.ts';
import { expectFinite } from '../finite.ts';
import type { Model } from '../model.ts';
import { featuresPort, textSignature } from '../signature.ts';
import { importError } from './importer.ts';
import { columns, readPackageFile, readTfjsWeights } from './tfjs.ts';
import { dataFile, maxLength, packageName, sizes } from './use-lite.ts';

/** Universal Sentence Encoder Lite (Cer et al. 2018, arXiv 1803.11175): pre-norm, and wider from the first layer on. */
const shape: EncoderShape = {
  vocabulary: sizes.vocabulary,
  maxLength,
  embedding: sizes.embedding,
  hidden: sizes.hidden,
  layers: [
    { heads: sizes.heads, headWidth: 64, ffn: sizes.ffn },
    { heads: sizes.heads, headWidth: 128, ffn: sizes.ffn },
  ],
  norm: 'pre',
  activation: 'relu',
  finalNorm: false,
  // It was trained without dropout, and fine-tuning with it costs points: options may still ask for some.
  dropout: 0,
};

const EPSILON = 1e-6;

/** Ids below this are control symbols that no text is cut into. */
const RESERVED = 6;
const UNKNOWN = 0;
const PADDING = 1;

/** Where TensorFlow keeps a parameter; `third` picks Q, K or V out of the packed projection. */
interface Source {
  readonly tensor: string;
  readonly third?: 0 | 1 | 2;
}

const scope = 'Encoder_en/KonaTransformer/Encode';

const normSource = (part: string): readonly (readonly [string, Source])[] => [
  ['weight', { tensor: `${part}layer_prepostprocess/layer_norm/layer_norm_scale/ConcatPartitions/concat` }],
  ['bias', { tensor: `${part}layer_prepostprocess/layer_norm/layer_norm_bias/ConcatPartitions/concat` }],
];

const layerSources = (index: number): ReadonlyMap<string, Source> => {
  const layer = `module_apply_default/${scope}/Layer_${index}/TransformerLayer/`;
  const stack = `module_apply_default/${scope}/TransformerStack/Layer_${index}/TransformerLayer/`;
  const raw = `module/${scope}/Layer_${index}/TransformerLayer/`;
  const sources = new Map<string, Source>();
  for (const [role, third] of [
    ['query', 0],
    ['key', 1],
    ['value', 2],
  ] as const) {
    sources.set(`attention.self.${role}.weight`, {
      tensor: `${raw}MultiheadAttention/qkv_transform_single/kernel/part_0`,
      third,
    });
    sources.set(`attention.self.${role}.bias`, {
      tensor: `${layer}MultiheadAttention/qkv_transform_single/bias/ConcatPartitions/concat`,
      third,
    });
  }
  const bias = (name: string): Source => ({ tensor: `${layer}${name}/bias/ConcatPartitions/concat` });
  for (const [kind, source] of normSource(layer)) sources.set(`attention.LayerNorm.${kind}`, source);
  for (const [kind, source] of normSource(`${layer}FFN/`)) sources.set(`intermediate.LayerNorm.${kind}`, source);
  sources.set('attention.output.dense.weight', {
    tensor: `${raw}MultiheadAttention/output_transform_single/kernel/part_0`,
  });
  sources.set('attention.output.dense.bias', bias('MultiheadAttention/output_transform_single'));
  sources.set('attention.residual.weight', { tensor: `${layer}dense/kernel/ConcatPartitions/concat` });
  sources.set('attention.residual.bias', bias('dense'));
  sources.set('intermediate.dense.weight', { tensor: `${stack}FFN/conv1/Tensordot/Reshape_1` });
  sources.set('intermediate.dense.bias', bias('FFN/conv1'));
  sources.set('output.dense.weight', { tensor: `${stack}FFN/conv2/Tensordot/Reshape_1` });
  sources.set('output.dense.bias', bias('FFN/conv2'));
  return sources;
};

type Weights = ReadonlyMap<string, Tensor>;

const weightOf = (weights: Weights, name: string): Tensor => {
  const tensor = weights.get(name);
  if (tensor === undefined) {
    throw importError(`the model of ${packageName} has no weight '${name}'; decant reads version 0.2.0`);
  }
  return tensor;
};

/** The model adds embedding and embedding + timing signal, so rows count twice: folded into the table here. */
const wordEmbeddings = (weights: Weights): Tensor => {
  const rows = weightOf(weights, 'module/Embeddings_en');
  return tensorOf(
    'float32',
    rows.dims,
    float32Of(rows).map((x) => 2 * x),
  );
};

/** Row p: sin(p t), then cos(p t), over the time scales t that the model stores (Vaswani et al. 2017). */
const timingSignal = (weights: Weights): Tensor => {
  const scales = float32Of(
    weightOf(
      weights,
      `module_apply_default/${scope}/TransformerStack/Layer_0/AddTimingSignal/TimingSignal/ExpandDims_1`,
    ),
  );
  const table = new Float32Array(shape.maxLength * shape.embedding);
  for (let position = 0; position < shape.maxLength; position++) {
    scales.forEach((scale, i) => {
      const angle = Math.fround(position * scale);
      table[position * shape.embedding + i] = Math.sin(angle);
      table[position * shape.embedding + scales.length + i] = Math.cos(angle);
    });
  }
  return tensorOf('float32', [shape.maxLength, shape.embedding], table);
};

const sourced = (weights: Weights, { tensor, third }: Source): Tensor => {
  const found = weightOf(weights, tensor);
  const width = found.dims.at(-1) ?? 1;
  return third === undefined
    ? columns(found, 0, width)
    : columns(found, (third * width) / 3, ((third + 1) * width) / 3);
};

const useLiteParameters = (weights: Weights): Parameters => {
  const layers = shape.layers.map((_, index) => layerSources(index));
  const find = (name: string): Tensor => {
    if (name === 'embeddings.word_embeddings.weight') return wordEmbeddings(weights);
    if (name === 'embeddings.position_embeddings.weight') return timingSignal(weights);
    const [, index = '', rest = ''] = /^encoder\.layer\.(\d+)\.(.*)$/.exec(name) ?? [];
    const source = layers[Number(index)]?.get(rest);
    if (source === undefined) throw new Error(`Universal Sentence Encoder has no parameter '${name}'`);
    return sourced(weights, source);
  };
  return (name, dims) => {
    const tensor = find(name);
    if (tensor.dims.join() !== dims.join()) {
      throw importError(`${packageName}: '${name}' is [${tensor.dims.join(', ')}]; expected [${dims.join(', ')}]`);
    }
    return tensor;
  };
};

const vocabularyFile = z.array(z.tuple([z.string(), z.number().nullable()]));

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Pieces with scores. The file's null scores mark symbols that are never split; the original tokenizer counts them 0. */
const readVocabulary = async (file: string): Promise<readonly (readonly [string, number])[]> => {
  const parsed = vocabularyFile.safeParse(parseJson((await readPackageFile(file)).toString()));
  if (!parsed.success) throw importError(`${file} is no list of [piece, score] pairs; reinstall ${packageName}`);
  return parsed.data.map(([piece, score]) => [piece, score ?? 0] as const);
};

/** Reads weights and vocabulary of the installed package into a graph of decant's own. */
export const importUseLite = async (base: string): Promise<Model> => {
  const [weights, vocabulary] = await Promise.all([
    readTfjsWeights(dataFile(base, 'model.json')),
    readVocabulary(dataFile(base, 'vocab.json')),
  ]);
  const builder = new GraphBuilder('universal-sentence-encoder-lite');
  const inputs = textInputs(builder);
  const { features } = emitEncoder(
    { builder, parameters: useLiteParameters(weights), prefix: '', epsilon: EPSILON },
    shape,
    inputs,
  );
  const graph = builder.freeze([features]);
  expectFinite(graph);
  return {
    graph,
    tokenizer: unigramTokenizer(vocabulary, { unknown: UNKNOWN, reserved: RESERVED }),
    info: {
      schema: 'decant.model/2',
      task: 'features',
      labels: [],
      signature: textSignature(inputs, featuresPort(features)),
      maxLength: shape.maxLength,
      processor: { tokens: { padding: PADDING, unknown: UNKNOWN } },
      modelType: textModelType,
      dimensions: sizes,
      origin: `Universal Sentence Encoder Lite (npm ${packageName}, Apache-2.0)`,
    },
  };
};
