import { z } from 'zod';
import type { Value } from '../../graph/graph.ts';
import { dropout, type Emission, linear, lookup, maskBias, parameter, positionRows } from '../blocks.ts';
import { defineArchitecture, type Encoded } from './architecture.ts';
import {
  activation,
  bertConfig,
  bertDropout,
  bertFacts,
  bertInputs,
  classifierDropout,
  idBuffers,
  ratio,
  size,
  typeRows,
} from './bert-layers.ts';
import { firstTokenHead, maskedHead, predictionsHead, tokenHead } from './heads.ts';
import { emitMobileLayers, mobileNorm, TORCH_EPSILON } from './mobilebert-layers.ts';
import { neighbours } from './neighbours.ts';

const config = bertConfig
  .extend({
    hidden_size: size.default(512),
    num_hidden_layers: bertConfig.shape.num_hidden_layers.default(24),
    num_attention_heads: size.default(4),
    intermediate_size: size.default(512),
    hidden_act: activation.default('relu'),
    hidden_dropout_prob: ratio.default(0),
    embedding_size: size.default(128),
    trigram_input: z.boolean().default(true),
    use_bottleneck: z.boolean().default(true),
    intra_bottleneck_size: size.default(128),
    use_bottleneck_attention: z.boolean().default(false),
    // Without it transformers feeds queries of one width to a matrix of another.
    key_query_shared_bottleneck: z.literal(true).default(true),
    num_feedforward_networks: z.int().min(1).max(1000).default(4),
    normalization_type: z.enum(['no_norm', 'layer_norm']).default('no_norm'),
    classifier_activation: z.boolean().default(true),
  })
  .superRefine((config, ctx) => {
    const width = config.use_bottleneck ? config.intra_bottleneck_size : config.hidden_size;
    if (width % config.num_attention_heads === 0) return;
    const message = `expected a divisor of the layers' width, which is ${width}; found ${config.num_attention_heads}`;
    ctx.addIssue({ code: 'custom', message, path: ['num_attention_heads'] });
  });
type Config = z.infer<typeof config>;

/** Words with their neighbours, the next one first, projected to the stream: (batch, sequence, hidden). */
const wideWords = (emission: Emission, config: Config, words: Value): Value => {
  const { embedding_size: narrow, hidden_size: hidden, trigram_input } = config;
  if (!trigram_input && narrow === hidden) return words;
  const { builder } = emission;
  const seen = trigram_input ? builder.op('Concat', neighbours(builder, words, 1).toReversed(), { axis: 2 }) : words;
  return linear(emission, 'embeddings.embedding_transformation', seen, [(trigram_input ? 3 : 1) * narrow, hidden]);
};

const embeddings = (emission: Emission, config: Config, { ids, types }: Encoded['inputs']): Value => {
  const { builder } = emission;
  const { vocab_size: vocabulary, embedding_size: narrow, hidden_size: hidden } = config;
  const words = lookup(emission, 'embeddings.word_embeddings.weight', [vocabulary, narrow], ids);
  const table = 'embeddings.position_embeddings.weight';
  const added = [
    wideWords(emission, config, words),
    positionRows(emission, table, [config.max_position_embeddings, hidden], ids),
  ];
  const rows = typeRows(emission, config, types, hidden);
  if (rows !== undefined) added.push(rows);
  const sum = added.reduce((a, b) => builder.op('Add', [a, b])); // (batch, sequence, hidden)
  const normal = mobileNorm({ ...emission, epsilon: TORCH_EPSILON }, config, 'embeddings.LayerNorm', sum);
  return dropout(emission, normal, config.hidden_dropout_prob);
};

/** MobileBERT (Sun et al. 2020, arXiv 2004.02984): thin layers between bottlenecks, several feed-forward networks each. */
export const mobilebert = defineArchitecture({
  modelTypes: ['mobilebert'],
  config,
  prefix: 'mobilebert',
  facts: (config) => ({ ...bertFacts(config), embedding: config.embedding_size }),
  emit: (emission, config) => {
    const { builder } = emission;
    const inputs = bertInputs(emission, config);
    const bias = maskBias(builder, inputs.mask);
    const x = builder.within('embeddings', () => embeddings(emission, config, inputs));
    const table = parameter(emission, 'embeddings.word_embeddings.weight', [config.vocab_size, config.embedding_size]);
    return { ...emitMobileLayers(emission, config, x, bias), inputs, table };
  },
  dropout: bertDropout,
  heads: {
    text: {
      marker: 'classifier.weight',
      dropout: (config) => ({ classifier: classifierDropout(config) }),
      emit: (emission, encoded, config, labels) =>
        firstTokenHead(emission, encoded, labels, {
          // Without an activation the pooler is the first token as it is.
          ...(config.classifier_activation
            ? { pooler: { dense: 'pooler.dense', inEncoder: true, activation: 'tanh' as const } }
            : {}),
          out: 'classifier',
          dropout: classifierDropout(config),
        }),
    },
    word: tokenHead(classifierDropout),
    token: maskedHead((config: Config) => ({
      ...predictionsHead(config, config.hidden_size),
      below: { embedding: config.embedding_size, name: 'cls.predictions.dense.weight' },
    })),
  },
  // A bottleneck that transformers makes, but does not use where attention reads that of the layer.
  ignored: [...idBuffers, /^encoder\.layer\.\d+\.bottleneck\.attention\./, /^pooler\.dense\.(weight|bias)$/, /^cls\./],
});
