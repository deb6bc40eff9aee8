import { defineArchitecture } from './architecture.ts';
import {
  type BertConfig,
  bertConfig,
  bertDropout,
  bertFacts,
  classifierDropout,
  emitBert,
  headsDivide,
  idBuffers,
} from './bert-layers.ts';
import { maskedHead, pooledHead, predictionsHead, tokenHead } from './heads.ts';

/** BERT (Devlin et al. 2018, arXiv 1810.04805), and what shares its shape: MiniLM, BGE, E5, GTE. */
export const bert = defineArchitecture({
  modelTypes: ['bert'],
  config: bertConfig.superRefine(headsDivide),
  prefix: 'bert',
  facts: bertFacts,
  emit: (emission, config) => emitBert(emission, config),
  dropout: bertDropout,
  heads: {
    text: pooledHead('pooler.dense', classifierDropout),
    word: tokenHead(classifierDropout),
    token: maskedHead((config: BertConfig) => predictionsHead(config, config.hidden_size)),
  },
  ignored: [...idBuffers, /^pooler\.dense\.(weight|bias)$/, /^cls\./],
});
