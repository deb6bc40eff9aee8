import { defineArchitecture } from './architecture.ts';
import {
  bertConfig,
  bertDropout,
  bertFacts,
  classifierDropout,
  emitBert,
  headsDivide,
  idBuffers,
} from './bert-layers.ts';
import { denseHead, lmHead, tokenHead } from './heads.ts';
import { paddedPositions } from './positions.ts';

const robertaConfig = bertConfig.extend({
  vocab_size: bertConfig.shape.vocab_size.unwrap().default(50_265),
  // Positions are counted from it, so it has to be there.
  pad_token_id: bertConfig.shape.pad_token_id.unwrap().unwrap().default(1),
});

/** RoBERTa (Liu et al. 2019, arXiv 1907.11692), XLM-R and CamemBERT: BERT whose positions start behind the padding id. */
export const roberta = defineArchitecture({
  modelTypes: ['roberta', 'xlm-roberta', 'camembert'],
  config: robertaConfig.superRefine(headsDivide),
  prefix: 'roberta',
  facts: (config) => ({
    ...bertFacts(config),
    maxLength: Math.max(1, config.max_position_embeddings - config.pad_token_id - 1),
  }),
  emit: (emission, config) =>
    emitBert(emission, config, {
      positions: (name, dims, ids) => paddedPositions(emission, name, dims, ids, config.pad_token_id),
    }),
  dropout: bertDropout,
  heads: {
    text: denseHead('tanh', classifierDropout),
    word: tokenHead(classifierDropout),
    token: lmHead,
  },
  ignored: [...idBuffers, /^pooler\.dense\.(weight|bias)$/, /^lm_head\./],
});
