import { defineArchitecture } from './architecture.ts';
import { bertConfig, bertFacts, classifierDropout, emitBert, headsDivide, idBuffers } from './bert-layers.ts';
import { maskedHead, pooledHead, tokenHead } from './heads.ts';

/** BERT (Devlin et al. 2018, arXiv 1810.04805), and what shares its shape: MiniLM, BGE, E5, GTE. */
export const bert = defineArchitecture({
  modelTypes: ['bert'],
  config: bertConfig.superRefine(headsDivide),
  prefix: 'bert',
  facts: bertFacts,
  emit: (emission, config) => emitBert(emission, config),
  heads: {
    'text-classification': pooledHead('pooler.dense', classifierDropout),
    'token-classification': tokenHead(classifierDropout),
    'fill-mask': {
      marker: 'cls.predictions.transform.dense.weight',
      emit: (emission, encoded, config) =>
        maskedHead(emission, encoded, [config.vocab_size, config.hidden_size], {
          dense: 'cls.predictions.transform.dense',
          norm: 'cls.predictions.transform.LayerNorm',
          activation: config.hidden_act,
          bias: 'cls.predictions.bias',
          decoder: 'cls.predictions.decoder',
          tied: config.tie_word_embeddings,
        }),
    },
  },
  ignored: [...idBuffers, /^pooler\.dense\.(weight|bias)$/, /^cls\./],
});
