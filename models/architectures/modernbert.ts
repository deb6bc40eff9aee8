import type { Value } from '../../graph/graph.ts';
import {
  activate,
  attend,
  dropout,
  type Emission,
  layerNorm,
  linear,
  lookup,
  MASKED_SCORE,
  maskBias,
  parameter,
  positionIds,
  splitHeads,
  splitKeys,
  textInputs,
} from '../blocks.ts';
import { featuresName, hiddenStateName } from '../emit-encoder.ts';
import { defineArchitecture, type Encoded } from './architecture.ts';
import {
  type LayerType,
  layerTypesOf,
  type ModernConfig,
  modernConfig,
  reachOf,
  thetaOf,
} from './modernbert-config.ts';
import { modernMaskedHead, modernTextHead, modernTokenHead } from './modernbert-heads.ts';
import { distances } from './relative.ts';
import { plainFrequencies } from './rope.ts';
import { type Rotation, rotated, rotationOf } from './rotary.ts';

/** What one kind of layer looks at, and how it tells positions. */
interface Sight {
  /** Added to attention scores. */
  readonly bias: Value;
  readonly rotation: Rotation;
}

const norm = (emission: Emission, config: ModernConfig, name: string, x: Value, output?: string): Value =>
  layerNorm(emission, name, x, config.hidden_size, { bias: config.norm_bias, output });

/** 0 for keys near the query, MASKED_SCORE for others: (sequence, sequence). */
const windowBias = ({ builder }: Emission, config: ModernConfig, positions: Value): Value => {
  const away = builder.op('Abs', [distances(builder, positions)]);
  const near = builder.op('LessOrEqual', [away, builder.scalar('float32', reachOf(config))]);
  return builder.op('Where', [near, builder.scalar('float32', 0), builder.scalar('float32', MASKED_SCORE)]);
};

const sightOf = (
  emission: Emission,
  config: ModernConfig,
  type: LayerType,
  { mask, positions }: { readonly mask: Value; readonly positions: Value },
): Sight => {
  const { builder } = emission;
  const width = config.hidden_size / config.num_attention_heads;
  const frequencies = plainFrequencies(thetaOf(config, type), width);
  const rotation = rotationOf(builder, positions, { frequencies, factor: 1 });
  const local = type === 'sliding_attention';
  return { rotation, bias: local ? builder.op('Add', [mask, windowBias(emission, config, positions)]) : mask };
};

/**
 * Queries, keys and values come from one packed matrix and stay packed: a cut finds each head's columns through Split, and
 * inference wants one product.
 */
const attention = (emission: Emission, config: ModernConfig, name: string, x: Value, sight: Sight): Value => {
  const { builder } = emission;
  const { hidden_size: hidden, num_attention_heads: heads, attention_bias: bias } = config;
  const sizes = [heads, hidden / heads] as const;
  const packed = linear(emission, `${name}.Wqkv`, x, [hidden, 3 * hidden], { bias });
  const [query = packed, key = packed, value = packed] = builder.ops('Split', [packed], 3, {
    axis: -1,
    num_outputs: 3,
  });
  const flat = attend(emission, {
    query: splitHeads(builder, rotated(builder, query, sizes, sight.rotation), sizes),
    key: splitKeys(builder, rotated(builder, key, sizes, sight.rotation), sizes),
    value: splitHeads(builder, value, sizes),
    heads,
    headWidth: hidden / heads,
    bias: sight.bias,
    dropout: config.attention_dropout,
  });
  return dropout(emission, linear(emission, `${name}.Wo`, flat, [hidden, hidden], { bias }), config.attention_dropout);
};

/** act(x U) * (x G), then W, with U and G packed (Shazeer 2020, arXiv 2002.05202): neurons own a column of each. */
const feedForward = (emission: Emission, config: ModernConfig, name: string, x: Value): Value => {
  const { builder } = emission;
  const { hidden_size: hidden, intermediate_size: ffn, mlp_bias: bias } = config;
  const packed = linear(emission, `${name}.Wi`, x, [hidden, 2 * ffn], { bias });
  const [up = packed, gate = packed] = builder.ops('Split', [packed], 2, { axis: -1, num_outputs: 2 });
  const active = builder.op('Mul', [activate(builder, config.hidden_activation, up), gate]);
  return linear(emission, `${name}.Wo`, dropout(emission, active, config.mlp_dropout), [ffn, hidden], { bias });
};

const layer = (emission: Emission, config: ModernConfig, index: number, x: Value, sight: Sight): Value => {
  const { builder } = emission;
  const name = `layers.${index}`;
  return builder.within(`encoder.layer.${index}`, () => {
    const attended = builder.within('attention', () => {
      // The embeddings are normalised already.
      const first = index === 0 ? x : norm(emission, config, `${name}.attn_norm`, x);
      return attention(emission, config, `${name}.attn`, first, sight);
    });
    const middle = builder.op('Add', [x, attended]);
    const grown = builder.within('ffn', () =>
      feedForward(emission, config, `${name}.mlp`, norm(emission, config, `${name}.mlp_norm`, middle)),
    );
    return builder.op('Add', [middle, grown], {}, hiddenStateName(index));
  });
};

const embeddings = (emission: Emission, config: ModernConfig, ids: Value): Value => {
  const dims = [config.vocab_size, config.hidden_size] as const;
  const words = lookup(emission, 'embeddings.tok_embeddings.weight', dims, ids);
  return dropout(emission, norm(emission, config, 'embeddings.norm', words), config.embedding_dropout);
};

const encode = (emission: Emission, config: ModernConfig): Encoded => {
  const { builder } = emission;
  const inputs = textInputs(builder);
  const mask = maskBias(builder, inputs.mask);
  // As floats: angles need them, and distances of long texts take half the memory.
  const positions = builder.op('Cast', [positionIds(builder, inputs.ids, config.max_position_embeddings)], { to: 1 });
  const types = layerTypesOf(config);
  const sights = new Map(
    [...new Set(types)].map((type) => [type, sightOf(emission, config, type, { mask, positions })] as const),
  );
  let x = builder.within('embeddings', () => embeddings(emission, config, inputs.ids));
  const hiddenStates = types.map((type, index) => {
    const sight = sights.get(type);
    if (sight === undefined) throw new Error(`layer ${index} is of the unknown kind ${type}`);
    x = layer(emission, config, index, x, sight);
    return x;
  });
  const table = parameter(emission, 'embeddings.tok_embeddings.weight', [config.vocab_size, config.hidden_size]);
  return { features: norm(emission, config, 'final_norm', x, featuresName), hiddenStates, inputs, table };
};

/** ModernBERT (Warner et al. 2024, arXiv 2412.13663): pre-norm, rotary positions, most layers look only nearby. */
export const modernbert = defineArchitecture({
  modelTypes: ['modernbert'],
  config: modernConfig,
  prefix: 'model',
  facts: (config) => ({
    vocabulary: config.vocab_size,
    hidden: config.hidden_size,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    ffn: config.intermediate_size,
    embedding: config.hidden_size,
    maxLength: config.max_position_embeddings,
    epsilon: config.norm_eps,
    padding: config.pad_token_id,
  }),
  emit: encode,
  dropout: ({ embedding_dropout: embeddings, attention_dropout: attention, mlp_dropout: neurons }) => ({
    ...{ embeddings, positions: attention, attention, hidden: attention, neurons },
  }),
  heads: {
    text: modernTextHead,
    word: modernTokenHead,
    token: modernMaskedHead,
  },
  ignored: [/^head\./, /^decoder\./],
});
