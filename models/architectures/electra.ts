import type { z } from 'zod';
import type { Value } from '../../graph/graph.ts';
import { linear } from '../blocks.ts';
import { defineArchitecture } from './architecture.ts';
import {
  bertConfig,
  bertDropout,
  bertFacts,
  classifierDropout,
  emitBert,
  headsDivide,
  idBuffers,
  size,
} from './bert-layers.ts';
import { denseHead, maskedHead, tokenHead } from './heads.ts';

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
    const { embedding_size: width, hidden_size: hidden } = config;
    const widen = (x: Value): Value =>
      width === hidden ? x : linear(emission, 'embeddings_project', x, [width, hidden]);
    return emitBert(emission, config, { width, widen });
  },
  dropout: bertDropout,
  heads: {
    text: denseHead('gelu', classifierDropout),
    word: tokenHead(classifierDropout),
    token: maskedHead((config: ElectraConfig) => ({
      width: config.embedding_size,
      vocabulary: config.vocab_size,
      dense: 'generator_predictions.dense',
      norm: 'generator_predictions.LayerNorm',
      activation: 'gelu',
      bias: 'generator_lm_head.bias',
      decoder: 'generator_lm_head',
      tied: config.tie_word_embeddings,
    })),
  },
  // The discriminator that was trained to tell replaced words has no use after pretraining.
  ignored: [...idBuffers, /^discriminator_predictions\./, /^generator_(predictions|lm_head)\./],
});
