import { modelError } from '../../ground/errors.ts';
import { decoderInputs, emitDecoderHead } from '../emit-decoder.ts';
import { emitGpt, type GptShape } from '../emit-gpt.ts';
import type { Architecture, Encoded, Facts } from './architecture.ts';

/** What a configuration says of a decoder with plain neurons. */
export interface GptFacts extends Pick<Facts, 'maxLength' | 'epsilon'> {
  readonly padding: number | null | undefined;
  readonly tied: boolean;
}

type Parts<C> = Pick<Architecture<C>, 'decodes' | 'facts' | 'emit' | 'dropout' | 'heads'>;

const expectWholeHeads = ({ hidden, heads }: GptShape): void => {
  if (hidden % heads === 0) return;
  throw modelError(`config.json: ${heads} heads do not divide a width of ${hidden}: expected a divisor of it`);
};

/** What architectures of GPT's kind have in common: `told` says what one is, of its own configuration. */
export const gptParts = <C>(told: (config: C) => { readonly shape: GptShape; readonly facts: GptFacts }): Parts<C> => {
  const shapeOf = (config: C): GptShape => {
    const { shape } = told(config);
    expectWholeHeads(shape);
    return shape;
  };
  const head = ({ vocabulary, hidden, embedding }: GptShape, tied: boolean) => ({
    ...{ vocabulary, tied, hidden: embedding?.width ?? hidden },
  });
  const tiedIn = (config: C): boolean => told(config).facts.tied;
  return {
    decodes: true,
    facts: (config) => {
      const { facts } = told(config);
      const { vocabulary, hidden, layers, heads, ffn, embedding } = shapeOf(config);
      const { padding, maxLength, epsilon } = facts;
      return {
        ...{ vocabulary, hidden, layers, heads, ffn, embedding: embedding?.width ?? hidden, maxLength, epsilon },
        padding: padding == null || padding < 0 ? null : padding,
      };
    },
    emit: (emission, config): Encoded => {
      const inputs = decoderInputs(emission.builder);
      return { ...emitGpt(emission, shapeOf(config), inputs), inputs };
    },
    dropout: (config) => ({ ...shapeOf(config).dropout, positions: 0, neurons: 0 }),
    heads: {
      token: {
        // What is tied has nothing of its own: files may leave the prefix out, with a head or without.
        marker: (config) => (tiedIn(config) ? undefined : 'lm_head.weight'),
        emit: (emission, encoded, config) => emitDecoderHead(emission, head(shapeOf(config), tiedIn(config)), encoded),
        copies: (config) => (tiedIn(config) ? [{ copy: 'lm_head.weight' }] : []),
      },
    },
  };
};
