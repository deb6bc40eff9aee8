import type { Value } from '../../graph/graph.ts';
import { modelError } from '../../ground/errors.ts';
import {
  type Activation,
  activate,
  attend,
  dropout,
  type Emission,
  layerNorm,
  linear,
  parameter,
  splitHeads,
  splitKeys,
} from '../blocks.ts';
import { type EncoderValues, featuresName, hiddenStateName } from '../emit-encoder.ts';

interface MobileConfig {
  readonly hidden_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly intermediate_size: number;
  readonly hidden_act: Activation;
  readonly hidden_dropout_prob: number;
  readonly attention_probs_dropout_prob: number;
  readonly use_bottleneck: boolean;
  readonly intra_bottleneck_size: number;
  readonly use_bottleneck_attention: boolean;
  readonly num_feedforward_networks: number;
  readonly normalization_type: 'no_norm' | 'layer_norm';
}

/** Two norms of MobileBERT do not read their epsilon from config.json: they have PyTorch's. */
export const TORCH_EPSILON = 1e-5;

/** Scale and shift alone, x w + b, where the checkpoint does without normalising; else layer normalisation. */
export const mobileNorm = (
  emission: Emission,
  { normalization_type }: Pick<MobileConfig, 'normalization_type'>,
  name: string,
  x: Value,
  output?: string,
): Value => {
  const { builder } = emission;
  const width = builder.type(x).shape?.at(-1);
  if (typeof width !== 'number') throw modelError(`the width of '${x}' is not known, so no norm fits it`);
  if (normalization_type === 'layer_norm') return layerNorm(emission, name, x, width, { output });
  const scaled = builder.op('Mul', [x, parameter(emission, `${name}.weight`, [width])]);
  return builder.op('Add', [scaled, parameter(emission, `${name}.bias`, [width])], {}, output);
};

/** One layer: what it is emitted with. */
interface Layer {
  readonly emission: Emission;
  readonly config: MobileConfig;
  readonly name: string;
  /** Width inside the bottleneck, or of the stream where there is none. */
  readonly width: number;
  /** Added to attention scores. */
  readonly bias: Value;
}

/** The stream through a bottleneck: (batch, sequence, hidden) to (batch, sequence, width). */
const narrowed = ({ emission, config, name, width }: Layer, part: string, x: Value): Value => {
  const dense = linear(emission, `${name}.bottleneck.${part}.dense`, x, [config.hidden_size, width]);
  return mobileNorm(emission, config, `${name}.bottleneck.${part}.LayerNorm`, dense);
};

/** What attention compares, mixes and is added to. */
interface Sources {
  readonly compared: Value;
  readonly mixed: Value;
  readonly residual: Value;
}

const sourcesOf = (layer: Layer, x: Value): Sources => {
  if (!layer.config.use_bottleneck) return { compared: x, mixed: x, residual: x };
  const residual = narrowed(layer, 'input', x);
  if (layer.config.use_bottleneck_attention) return { compared: residual, mixed: residual, residual };
  return { compared: narrowed(layer, 'attention', x), mixed: x, residual };
};

const widthOf = ({ builder }: Emission, x: Value, fallback: number): number => {
  const width = builder.type(x).shape?.at(-1);
  return typeof width === 'number' ? width : fallback;
};

/** Inside of a bottleneck nothing is dropped of what a block adds. */
const kept = ({ emission, config }: Layer, x: Value): Value =>
  config.use_bottleneck ? x : dropout(emission, x, config.hidden_dropout_prob);

const attention = (layer: Layer, { compared, mixed }: Sources): Value => {
  const { emission, config, name, width, bias } = layer;
  const { builder } = emission;
  const heads = config.num_attention_heads;
  const sizes = [heads, width / heads] as const;
  const role = (part: string, x: Value): Value =>
    linear(emission, `${name}.attention.self.${part}`, x, [widthOf(emission, x, width), width]);
  const flat = attend(emission, {
    query: splitHeads(builder, role('query', compared), sizes),
    key: splitKeys(builder, role('key', compared), sizes),
    value: splitHeads(builder, role('value', mixed), sizes),
    heads,
    headWidth: width / heads,
    bias,
    dropout: config.attention_probs_dropout_prob,
  });
  return kept(layer, linear(emission, `${name}.attention.output.dense`, flat, [width, width]));
};

/** x + W act(x W): `up` and `down` name the matrices, `norm` what follows. */
const feedForward = (layer: Layer, x: Value, [up, down]: readonly [string, string], norm: Emission): Value => {
  const { emission, config, name, width } = layer;
  const { builder } = emission;
  const wide = linear(emission, `${name}.${up}.dense`, x, [width, config.intermediate_size]);
  const active = activate(builder, config.hidden_act, wide);
  const out = linear(emission, `${name}.${down}.dense`, active, [config.intermediate_size, width]);
  return mobileNorm(norm, config, `${name}.${down}.LayerNorm`, builder.op('Add', [kept(layer, out), x]));
};

/** Back to the width of the stream, around the whole layer. */
const widened = ({ emission, config, name, width }: Layer, x: Value, stream: Value, output: string): Value => {
  const dense = linear(emission, `${name}.output.bottleneck.dense`, x, [width, config.hidden_size]);
  const sum = emission.builder.op('Add', [dropout(emission, dense, config.hidden_dropout_prob), stream]);
  return mobileNorm(emission, config, `${name}.output.bottleneck.LayerNorm`, sum, output);
};

const mobileLayer = (layer: Layer, stream: Value, output: string): Value => {
  const { emission, config, name } = layer;
  const { builder } = emission;
  const sources = sourcesOf(layer, stream);
  const mixed = builder.within('attention', () => attention(layer, sources));
  const sum = builder.op('Add', [mixed, sources.residual]);
  let x = mobileNorm(emission, config, `${name}.attention.output.LayerNorm`, sum);
  for (let i = 0; i < config.num_feedforward_networks - 1; i++)
    x = builder.within(`ffn.${i}`, () => feedForward(layer, x, [`ffn.${i}.intermediate`, `ffn.${i}.output`], emission));
  const torch = { ...emission, epsilon: TORCH_EPSILON };
  x = builder.within('ffn', () => feedForward(layer, x, ['intermediate', 'output'], torch));
  return config.use_bottleneck ? widened(layer, x, stream, output) : builder.op('Identity', [x], {}, output);
};

/** Emits the layers over x (batch, sequence, hidden); the features are called `last_hidden_state`. */
export const emitMobileLayers = (emission: Emission, config: MobileConfig, x: Value, bias: Value): EncoderValues => {
  const { builder } = emission;
  const width = config.use_bottleneck ? config.intra_bottleneck_size : config.hidden_size;
  let stream = x;
  const hiddenStates = Array.from({ length: config.num_hidden_layers }, (_, index) => {
    const name = `encoder.layer.${index}`;
    const output = index === config.num_hidden_layers - 1 ? featuresName : hiddenStateName(index);
    stream = builder.within(name, () => mobileLayer({ emission, config, name, width, bias }, stream, output));
    return stream;
  });
  return { features: stream, hiddenStates };
};
