import type { Value } from '../../graph/graph.ts';
import { type Activation, activate, dropout, type Emission, layerNorm, linear, parameter } from '../blocks.ts';
import { firstToken } from '../head.ts';
import { type Encoded, type HeadLayout, outside } from './architecture.ts';

/** What heads call their output, as transformers does. */
export const logitsName = 'logits';

const widthOf = ({ builder }: Emission, x: Value): number => {
  const width = builder.type(x).shape?.at(-1);
  if (typeof width === 'number') return width;
  throw new Error(`the width of '${x}' is not known, so no head fits it`);
};

/** A linear over whatever width x has. */
export const project = (emission: Emission, name: string, x: Value, out: number, output?: string): Value =>
  linear(emission, name, x, [widthOf(emission, x), out], output === undefined ? {} : { output });

/** How a head makes class scores of the first token: dropout, dense, activation, dropout, linear. */
export interface FirstTokenHead {
  /** Name of the dense layer; BERT's pooler is part of the encoder and has its prefix. */
  readonly dense: string;
  readonly inEncoder?: boolean;
  readonly activation: Activation;
  readonly out: string;
  /** Ratio of Dropout before the dense layer, where the architecture has one. */
  readonly before?: number;
  /** Ratio of Dropout before the last linear. */
  readonly dropout: number;
}

/** Classifies a text by its first token: (batch, sequence, hidden) to (batch, labels). */
export const firstTokenHead = (emission: Emission, { features }: Encoded, labels: number, how: FirstTokenHead): Value =>
  emission.builder.within('classifier', () => {
    const head = outside(emission);
    const { builder } = emission;
    const first = firstToken(builder, features); // (batch, hidden)
    const x = how.before === undefined ? first : dropout(head, first, how.before);
    const dense = project(how.inEncoder ? emission : head, how.dense, x, widthOf(head, x));
    const active = activate(builder, how.activation, dense);
    return project(head, how.out, dropout(head, active, how.dropout), labels, logitsName);
  });

/** BERT's head: the encoder's pooler, then one linear. */
export const pooledHead = <C>(pooler: string, ratioOf: (config: C) => number): HeadLayout<C> => ({
  marker: 'classifier.weight',
  emit: (emission, encoded, config, labels) =>
    firstTokenHead(emission, encoded, labels, {
      dense: pooler,
      inEncoder: true,
      activation: 'tanh',
      out: 'classifier',
      dropout: ratioOf(config),
    }),
});

/** RoBERTa's head: dropout before either of two linears of its own. */
export const denseHead = <C>(activation: Activation, ratioOf: (config: C) => number): HeadLayout<C> => ({
  marker: 'classifier.out_proj.weight',
  emit: (emission, encoded, config, labels) =>
    firstTokenHead(emission, encoded, labels, {
      before: ratioOf(config),
      dense: 'classifier.dense',
      activation,
      out: 'classifier.out_proj',
      dropout: ratioOf(config),
    }),
});

/** Classifies every token: dropout and one linear, (batch, sequence, hidden) to (batch, sequence, labels). */
export const tokenHead = <C>(ratioOf: (config: C) => number): HeadLayout<C> => ({
  marker: 'classifier.weight',
  emit: (emission, { features }, config, labels) => {
    const head = outside(emission);
    return head.builder.within('classifier', () =>
      project(head, 'classifier', dropout(head, features, ratioOf(config)), labels, logitsName),
    );
  },
});

/** How a masked language model scores the vocabulary: dense, activation, norm, product with the token embeddings, bias. */
export interface MaskedHead {
  readonly dense: string;
  readonly norm: string;
  readonly activation: Activation;
  /** Name of the bias, one a token of the vocabulary, where the output is tied to the token embeddings. */
  readonly bias: string;
  /** Name of the output layer, where it is not tied: it has a matrix and a bias of its own. */
  readonly decoder: string;
  readonly tied: boolean;
}

/** (batch, sequence, hidden) to (batch, sequence, vocabulary). Tied embeddings are one weight, read twice. */
export const maskedHead = (
  emission: Emission,
  encoded: Encoded,
  [vocabulary, width]: readonly [number, number],
  how: MaskedHead,
): Value =>
  emission.builder.within('lm_head', () => {
    const head = outside(emission);
    const { builder } = head;
    const active = activate(builder, how.activation, project(head, how.dense, encoded.features, width));
    const x = layerNorm(head, how.norm, active, width);
    const decoder = how.tied
      ? builder.op('Transpose', [encoded.table], { perm: [1, 0] })
      : parameter(head, `${how.decoder}.weight`, [width, vocabulary], 'linear');
    const product = builder.op('MatMul', [x, decoder]); // (batch, sequence, vocabulary)
    const bias = how.tied ? how.bias : `${how.decoder}.bias`;
    return builder.op('Add', [product, parameter(head, bias, [vocabulary])], {}, logitsName);
  });

/** RoBERTa's masked language model. */
export const lmHead: HeadLayout<{
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly tie_word_embeddings: boolean;
}> = {
  marker: 'lm_head.dense.weight',
  emit: (emission, encoded, config) =>
    maskedHead(emission, encoded, [config.vocab_size, config.hidden_size], {
      dense: 'lm_head.dense',
      norm: 'lm_head.layer_norm',
      activation: 'gelu',
      bias: 'lm_head.bias',
      decoder: 'lm_head.decoder',
      tied: config.tie_word_embeddings,
    }),
};
