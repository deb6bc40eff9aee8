import type { Model } from '../models/model.ts';
import { endTokenOf } from '../models/special-tokens.ts';
import { type Encoded, tokensOf } from './encoded.ts';

/** A text whose tokens are asked for: all but the first, or of a prompt with its answer those of the answer. */
interface Asked {
  readonly tokens: Int32Array;
  /** 1 for tokens of the answer; left out where there is no prompt. */
  readonly answer?: Uint8Array;
}

/** A text with its end, where the tokenizer has a token for that. */
const withEnd = (model: Pick<Model, 'tokenizer' | 'info'>, encoded: Encoded): Asked => {
  const tokens = tokensOf(encoded);
  const { segments } = encoded.byRole;
  const end = endTokenOf(model);
  const added = end === undefined || tokens.at(-1) === end.id ? [] : [end.id];
  const whole = Int32Array.from([...tokens, ...added]);
  return segments === undefined ? { tokens: whole } : { tokens: whole, answer: Uint8Array.from([...segments, 1]) };
};

/**
 * A text cut into sequences of at most `length` tokens, each told what follows it. The last token of a stretch is the first of
 * what the next one answers about: every token is asked for once, and none across two texts. Stretches of a prompt alone ask for
 * nothing and are left out.
 */
const stretchesOf = ({ tokens, answer }: Asked, text: number, length: number): readonly Encoded[] => {
  const asked = Math.max(1, tokens.length - 1);
  const all = Array.from({ length: Math.ceil(asked / length) }, (_, stretch): Encoded => {
    const start = stretch * length;
    const own = tokens.slice(start, Math.min(start + length, asked));
    const next = tokens.slice(start + 1, start + 1 + length);
    const places = Int32Array.from(next.keys()).filter(
      (place) => answer === undefined || answer[start + 1 + place] === 1,
    );
    return { length: own.length, byRole: { tokens: own, next }, places, text };
  });
  return all.length === 1 ? all : all.filter(({ places = [] }) => places.length > 0);
};

/** Texts as a decoder learns and is judged by them: in stretches of at most `length` tokens, in the order of the texts. */
export const stretches = (
  model: Pick<Model, 'tokenizer' | 'info'>,
  texts: readonly Encoded[],
  length: number,
): readonly Encoded[] => texts.flatMap((one, text) => stretchesOf(withEnd(model, one), text, length));
