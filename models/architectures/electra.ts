import type { z } from 'zod';
import { linear, maskBias, parameter, positionRows } from '../blocks.ts';
import { emitLayers } from '../emit-encoder.ts';
import { defineArchitecture } from './architecture.ts';
import {
  bertConfig,
  bertEmbeddings,
  bertFacts,
  bertInputs,
  bertStack,
  classifierDropout,
  headsDivide,
  idBuffers,
  size,
} from './bert-layers.ts';
import { firstTokenHead, maskedHead, tokenHead } from './heads.ts';

const electraConfig = bertConfig.extend({
  embedding_size: size.default(128),
  hidden_size: size.default(256),
  num_attention_heads: size.default(4),
  intermediate_size: size.default(1024),
});
type ElectraConfig = z.infer<typeof electraConfig>;

/** ELECTRA (Clark et al. 2020, arXiv 2003.10555): BERT over narrower embeddings, which a linear widens. */
export const electra = defineArchitecture({
  modelTypes: ['electra'],
  config: electraConfig.superRefine(headsDivide),
  prefix: 'electra',
  facts: (config) => ({ ...bertFacts(config), embedding: config.embedding_size }),
  emit: (emission, config: ElectraConfig) => {
    const { builder } = emission;
    const inputs = bertInputs(emission, config);
    const {
      vocab_size: vocabulary,
      embedding_size: width,
      hidden_size: hidden,
      max_position_embeddings: limit,
    } = config;
    const bias = maskBias(builder, inputs.mask);
    const positions = (name: string) => positionRows(emission, name, [limit, width], inputs.ids);
    const x = builder.within('embeddings', () => {
      const embedded = bertEmbeddings(emission, config, inputs, [width, positions]);
      return width === hidden ? embedded : linear(emission, 'embeddings_project', embedded, [width, hidden]);
    });
    const table = parameter(emission, 'embeddings.word_embeddings.weight', [vocabulary, width]);
    return { ...emitLayers(emission, bertStack(config), x, bias), inputs, table };
  },
  heads: {
    'text-classification': {
      marker: 'classifier.out_proj.weight',
      emit: (emission, encoded, config, labels) =>
        firstTokenHead(emission, encoded, labels, {
          before: classifierDropout(config),
          dense: 'classifier.dense',
          activation: 'gelu',
          out: 'classifier.out_proj',
          dropout: classifierDropout(config),
        }),
    },
    'token-classification': {
      marker: 'classifier.weight',
      emit: (emission, encoded, config, labels) => tokenHead(emission, encoded, labels, classifierDropout(config)),
    },
    'fill-mask': {
      marker: 'generator_predictions.dense.weight',
      emit: (emission, encoded, config) =>
        maskedHead(emission, encoded, [config.vocab_size, config.embedding_size], {
          dense: 'generator_predictions.dense',
          norm: 'generator_predictions.LayerNorm',
          activation: 'gelu',
          bias: 'generator_lm_head.bias',
          ...(config.tie_word_embeddings ? {} : { decoder: 'generator_lm_head' }),
        }),
    },
  },
  // The discriminator that was trained to tell replaced words has no use after pretraining.
  ignored: [...idBuffers, /^discriminator_predictions\./, /^generator_(predictions|lm_head)\./],
});
