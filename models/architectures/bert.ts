import { maskBias, parameter, positionRows } from '../blocks.ts';
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
} from './bert-layers.ts';
import { firstTokenHead, maskedHead, tokenHead } from './heads.ts';

/** BERT (Devlin et al. 2018, arXiv 1810.04805), and what shares its shape: MiniLM, BGE, E5, GTE. */
export const bert = defineArchitecture({
  modelTypes: ['bert'],
  config: bertConfig.superRefine(headsDivide),
  prefix: 'bert',
  facts: bertFacts,
  emit: (emission, config) => {
    const { builder } = emission;
    const inputs = bertInputs(emission, config);
    const { vocab_size: vocabulary, hidden_size: width, max_position_embeddings: limit } = config;
    const bias = maskBias(builder, inputs.mask);
    const positions = (name: string) => positionRows(emission, name, [limit, width], inputs.ids);
    const x = builder.within('embeddings', () => bertEmbeddings(emission, config, inputs, [width, positions]));
    const table = parameter(emission, 'embeddings.word_embeddings.weight', [vocabulary, width]);
    return { ...emitLayers(emission, bertStack(config), x, bias), inputs, table };
  },
  heads: {
    'text-classification': {
      marker: 'classifier.weight',
      emit: (emission, encoded, config, labels) =>
        firstTokenHead(emission, encoded, labels, {
          dense: 'pooler.dense',
          inEncoder: true,
          activation: 'tanh',
          out: 'classifier',
          dropout: classifierDropout(config),
        }),
    },
    'token-classification': {
      marker: 'classifier.weight',
      emit: (emission, encoded, config, labels) => tokenHead(emission, encoded, labels, classifierDropout(config)),
    },
    'fill-mask': {
      marker: 'cls.predictions.transform.dense.weight',
      emit: (emission, encoded, config) =>
        maskedHead(emission, encoded, [config.vocab_size, config.hidden_size], {
          dense: 'cls.predictions.transform.dense',
          norm: 'cls.predictions.transform.LayerNorm',
          activation: config.hidden_act,
          bias: 'cls.predictions.bias',
          ...(config.tie_word_embeddings ? {} : { decoder: 'cls.predictions.decoder' }),
        }),
    },
  },
  ignored: [...idBuffers, /^pooler\.dense\.(weight|bias)$/, /^cls\./],
});
