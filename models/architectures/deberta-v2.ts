import type { Value } from '../../graph/graph.ts';
import { dropout, type Emission, layerNorm, linear, lookup, maskBias, parameter, positionRows } from '../blocks.ts';
import { emitLayers, type LayerNames } from '../emit-encoder.ts';
import { defineArchitecture, type Encoded } from './architecture.ts';
import { bertDropout, bertFacts, bertInputs, bertStack, idBuffers, typeRows } from './bert-layers.ts';
import { type DebertaConfig, debertaConfig, embeddingWidth } from './deberta-config.ts';
import { convolution, onlyTokens } from './deberta-convolution.ts';
import { disentangledBias, scoreTerms } from './deberta-positions.ts';
import { firstTokenHead, type MaskedHead, maskedHead, predictionsHead, tokenHead } from './heads.ts';

/** Words, types and, in older models, positions; projected where they are narrower than the stream; normalised. */
const embeddings = (emission: Emission, config: DebertaConfig, { ids, types, mask }: Encoded['inputs']): Value => {
  const { builder } = emission;
  const { hidden_size: hidden, max_position_embeddings: limit } = config;
  const width = embeddingWidth(config);
  const added = [lookup(emission, 'embeddings.word_embeddings.weight', [config.vocab_size, width], ids)];
  if (config.position_biased_input)
    added.push(positionRows(emission, 'embeddings.position_embeddings.weight', [limit, width], ids));
  const rows = typeRows(emission, config, types, width);
  if (rows !== undefined) added.push(rows);
  const sum = added.reduce((a, b) => builder.op('Add', [a, b])); // (batch, sequence, embedding width)
  const wide =
    width === hidden ? sum : linear(emission, 'embeddings.embed_proj', sum, [width, hidden], { bias: false });
  const normal = layerNorm(emission, 'embeddings.LayerNorm', wide, hidden);
  // Nobody looks at padding but a convolution.
  const visible = config.conv_kernel_size === 0 ? normal : onlyTokens(builder, normal, mask);
  return dropout(emission, visible, config.hidden_dropout_prob);
};

const names: LayerNames = {
  layer: (index) => `encoder.layer.${index}`,
  query: 'attention.self.query_proj',
  key: 'attention.self.key_proj',
  value: 'attention.self.value_proj',
  mixed: 'attention.output.dense',
  attentionNorm: 'attention.output.LayerNorm',
  up: 'intermediate.dense',
  down: 'output.dense',
  outputNorm: 'output.LayerNorm',
};

const encode = (emission: Emission, config: DebertaConfig): Encoded => {
  const { builder } = emission;
  const inputs = bertInputs(emission, config);
  const mask = maskBias(builder, inputs.mask);
  const x = builder.within('embeddings', () => embeddings(emission, config, inputs));
  const headWidth = config.hidden_size / config.num_attention_heads;
  const shape = {
    ...bertStack(config),
    names,
    scale: 1 / Math.sqrt(headWidth * scoreTerms(config)),
    ...(config.conv_kernel_size === 0 ? {} : { behind: convolution(emission, config, x, inputs.mask) }),
  };
  const bias = config.relative_attention ? disentangledBias(emission, config, inputs.ids, mask) : mask;
  const table = parameter(emission, 'embeddings.word_embeddings.weight', [config.vocab_size, embeddingWidth(config)]);
  return { ...emitLayers(emission, shape, x, bias), inputs, table };
};

/** In version 3 the head is one of its own, tied to the token embeddings whatever config.json says; before, it is BERT's. */
const predictionsOf = (config: DebertaConfig): MaskedHead =>
  config.legacy
    ? predictionsHead(config, embeddingWidth(config))
    : {
        width: config.hidden_size,
        vocabulary: config.vocab_size,
        dense: 'lm_predictions.lm_head.dense',
        norm: 'lm_predictions.lm_head.LayerNorm',
        activation: config.hidden_act,
        bias: 'lm_predictions.lm_head.bias',
        decoder: 'lm_predictions.lm_head',
        tied: true,
      };

/** DeBERTa of versions 2 and 3 (He et al. 2020, arXiv 2006.03654, and 2021, 2111.09543). */
export const debertaV2 = defineArchitecture({
  modelTypes: ['deberta-v2'],
  config: debertaConfig,
  prefix: 'deberta',
  facts: (config) => ({ ...bertFacts(config), embedding: embeddingWidth(config) }),
  emit: encode,
  dropout: bertDropout,
  heads: {
    text: {
      marker: 'classifier.weight',
      dropout: (config) => ({
        pooler: config.pooler_dropout,
        classifier: config.cls_dropout ?? config.hidden_dropout_prob,
      }),
      emit: (emission, encoded, config, labels) =>
        firstTokenHead(emission, encoded, labels, {
          pooler: { dense: 'pooler.dense', activation: config.pooler_hidden_act },
          out: 'classifier',
          before: config.pooler_dropout,
          dropout: config.cls_dropout ?? config.hidden_dropout_prob,
        }),
    },
    word: tokenHead((config: DebertaConfig) => config.hidden_dropout_prob),
    token: maskedHead(predictionsOf),
  },
  // The head that tells replaced words (mask_predictions) has no use after pretraining.
  ignored: [
    ...idBuffers,
    /^embeddings\.position_embeddings\.weight$/,
    /^cls\./,
    /^(lm|mask)_predictions\./,
    /^pooler\./,
  ],
});
