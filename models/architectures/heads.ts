import type { Value } from '../../graph/graph.ts';
import { modelError } from '../../ground/errors.ts';
import { type Activation, activate, dropout, type Emission, layerNorm, linear, parameter } from '../blocks.ts';
import { firstToken } from '../head.ts';
import { type Copy, type Encoded, type HeadLayout, outside } from './architecture.ts';

/** What heads call their output, as transformers does. */
export const logitsName = 'logits';

const widthOf = ({ builder }: Emission, x: Value): number => {
  const width = builder.type(x).shape?.at(-1);
  if (typeof width === 'number') return width;
  throw modelError(`the width of '${x}' is not known, so no head fits it`);
};

/** A linear over whatever width x has. */
export const project = (emission: Emission, name: string, x: Value, out: number, output?: string): Value =>
  linear(emission, name, x, [widthOf(emission, x), out], output === undefined ? {} : { output });

/** How a head makes class scores of the first token: dropout, dense, activation, dropout, linear. */
interface FirstTokenHead {
  /** The dense layer, where there is one; BERT's pooler is part of the encoder and has its prefix. */
  readonly pooler?: { readonly dense: string; readonly inEncoder?: boolean; readonly activation: Activation };
  readonly out: string;
  /** Ratio of Dropout before the dense layer, where the architecture has one. */
  readonly before?: number;
  /** Ratio of Dropout before the last linear. */
  readonly dropout: number;
}

const poolerOf = (emission: Emission, x: Value, pooler: NonNullable<FirstTokenHead['pooler']>): Value => {
  const { dense, inEncoder = false, activation } = pooler;
  const of = inEncoder ? emission : outside(emission);
  return activate(emission.builder, activation, project(of, dense, x, widthOf(emission, x)));
};

/** Classifies a text by its first token: (batch, sequence, hidden) to (batch, labels). */
export const firstTokenHead = (emission: Emission, { features }: Encoded, labels: number, how: FirstTokenHead): Value =>
  emission.builder.within('classifier', () => {
    const head = outside(emission);
    const { builder } = emission;
    const first = firstToken(builder, features); // (batch, hidden)
    const x = how.before === undefined ? first : dropout(head, first, how.before);
    const pooled = how.pooler === undefined ? x : poolerOf(emission, x, how.pooler);
    return project(head, how.out, dropout(head, pooled, how.dropout), labels, logitsName);
  });

/** BERT's head: the encoder's pooler, then one linear. */
export const pooledHead = <C>(pooler: string, ratioOf: (config: C) => number): HeadLayout<C> => ({
  marker: 'classifier.weight',
  dropout: (config) => ({ classifier: ratioOf(config) }),
  emit: (emission, encoded, config, labels) =>
    firstTokenHead(emission, encoded, labels, {
      pooler: { dense: pooler, inEncoder: true, activation: 'tanh' },
      out: 'classifier',
      dropout: ratioOf(config),
    }),
});

/** RoBERTa's head: dropout before either of two linears of its own. */
export const denseHead = <C>(activation: Activation, ratioOf: (config: C) => number): HeadLayout<C> => ({
  marker: 'classifier.out_proj.weight',
  dropout: (config) => ({ pooler: ratioOf(config), classifier: ratioOf(config) }),
  emit: (emission, encoded, config, labels) =>
    firstTokenHead(emission, encoded, labels, {
      before: ratioOf(config),
      pooler: { dense: 'classifier.dense', activation },
      out: 'classifier.out_proj',
      dropout: ratioOf(config),
    }),
});

/** Classifies every token: dropout and one linear, (batch, sequence, hidden) to (batch, sequence, labels). */
export const tokenHead = <C>(ratioOf: (config: C) => number): HeadLayout<C> => ({
  marker: 'classifier.weight',
  dropout: (config) => ({ classifier: ratioOf(config) }),
  emit: (emission, { features }, config, labels) => {
    const head = outside(emission);
    return head.builder.within('classifier', () =>
      project(head, 'classifier', dropout(head, features, ratioOf(config)), labels, logitsName),
    );
  },
});

/** Dense, activation and norm, which heads of several kinds begin with; linears and norms may lack their bias. */
export interface Transform {
  readonly dense: string;
  readonly norm: string;
  readonly activation: Activation;
  readonly denseBias?: boolean;
  readonly normBias?: boolean;
}

/** x of any width to `width`. */
export const transformed = (head: Emission, x: Value, width: number, how: Transform): Value => {
  const { denseBias = true, normBias = true } = how;
  const dense = linear(head, how.dense, x, [widthOf(head, x), width], { bias: denseBias });
  return layerNorm(head, how.norm, activate(head.builder, how.activation, dense), width, { bias: normBias });
};

/** How a masked language model scores the vocabulary: a transform, product with the token embeddings, bias. */
export interface MaskedHead extends Transform {
  /** Width of the transform. */
  readonly width: number;
  readonly vocabulary: number;
  /** Name of the output layer where it is not tied to the token embeddings. */
  readonly decoder: string;
  readonly tied: boolean;
  /** Name of the bias where the output layer is tied, if it has one: one a token of the vocabulary. */
  readonly bias: string | undefined;
  /** Width of the token embeddings, and the rows of the output matrix below them, which belong to the head alone. */
  readonly below?: { readonly embedding: number; readonly name: string };
}

/** What a masked language model stands on. */
interface Under {
  readonly features: Value;
  readonly table: Value;
}

/** (width, vocabulary). Tied embeddings are one weight, read twice. */
const decoderOf = (head: Emission, { table }: Under, how: MaskedHead): Value => {
  const { builder } = head;
  const { width, vocabulary, below } = how;
  const decoder = how.tied
    ? builder.op('Transpose', [table], { perm: [1, 0] })
    : parameter(head, `${how.decoder}.weight`, [below?.embedding ?? width, vocabulary], 'linear');
  if (below === undefined || below.embedding === width) return decoder;
  const rest = parameter(head, below.name, [width - below.embedding, vocabulary]);
  return builder.op('Concat', [decoder, rest], { axis: 0 });
};

/** (batch, sequence, hidden) to (batch, sequence, vocabulary). */
export const emitMasked = (emission: Emission, encoded: Under, how: MaskedHead): Value =>
  emission.builder.within('lm_head', () => {
    const head = outside(emission);
    const { builder } = head;
    const x = transformed(head, encoded.features, how.width, how);
    const inputs = [x, decoderOf(head, encoded, how)];
    if (how.bias === undefined) return builder.op('MatMul', inputs, {}, logitsName);
    // A tied layer's bias is kept beside it; another has its own, which older files keep in the same place.
    const bias = parameter(head, how.tied ? how.bias : `${how.decoder}.bias`, [how.vocabulary]);
    return builder.op('Add', [builder.op('MatMul', inputs), bias], {}, logitsName);
  });

const copiesOf = ({ tied, decoder, bias }: MaskedHead): readonly Copy[] => {
  if (!tied) return [];
  const own = `${decoder}.bias`;
  return [{ copy: `${decoder}.weight` }, ...(bias === undefined || bias === own ? [] : [{ copy: own, of: bias }])];
};

/** The masked language model that a configuration describes. */
export const maskedHead = <C>(how: (config: C) => MaskedHead): HeadLayout<C> => ({
  marker: (config) => `${how(config).dense}.weight`,
  emit: (emission, encoded, config) => emitMasked(emission, encoded, how(config)),
  copies: (config) => copiesOf(how(config)),
});

/** RoBERTa's masked language model. */
export const lmHead = maskedHead(
  (config: {
    readonly vocab_size: number;
    readonly hidden_size: number;
    readonly tie_word_embeddings: boolean;
  }): MaskedHead => ({
    width: config.hidden_size,
    vocabulary: config.vocab_size,
    dense: 'lm_head.dense',
    norm: 'lm_head.layer_norm',
    activation: 'gelu',
    bias: 'lm_head.bias',
    decoder: 'lm_head.decoder',
    tied: config.tie_word_embeddings,
  }),
);

/** BERT's masked language model, over a transform of `width`. */
export const predictionsHead = (
  config: {
    readonly vocab_size: number;
    readonly hidden_act: Activation;
    readonly tie_word_embeddings: boolean;
  },
  width: number,
): MaskedHead => ({
  width,
  vocabulary: config.vocab_size,
  dense: 'cls.predictions.transform.dense',
  norm: 'cls.predictions.transform.LayerNorm',
  activation: config.hidden_act,
  bias: 'cls.predictions.bias',
  decoder: 'cls.predictions.decoder',
  tied: config.tie_word_embeddings,
});
