import { permutation, type Stream } from '../data/random.ts';
import { type Model, tokenizerIn } from '../models/model.ts';
import { allIds, maskTokenOf, specialIds } from '../models/special-tokens.ts';
import { asWritten, type Encoded, tokensOf } from './encoded.ts';
import type { Varied } from './tasks/task.ts';

/** Shares of BERT (Devlin et al. 2018, arXiv 1810.04805): of a text's tokens, and of those that are chosen. */
const CHOSEN = 0.15;
const HIDDEN = 0.8;
const REPLACED = 0.1;

/** A share of the tokens of a text that can be guessed: one at least, and always as many of one text. */
const placesOf = (tokens: ArrayLike<number>, special: ReadonlySet<number>, random: Stream): Int32Array => {
  const open = Array.from(tokens).flatMap((id, place) => (special.has(id) ? [] : [place]));
  const count = open.length === 0 ? 0 : Math.max(1, Math.round(CHOSEN * open.length));
  const chosen = permutation(open.length, random).subarray(0, count);
  return Int32Array.from(chosen, (at) => open[at] ?? 0).sort();
};

/**
 * Hides tokens of examples: 15 % are asked about, of which 80 % become the mask, 10 % another token, and 10 % stay, so that a
 * model has to say something of every token. Special tokens are never asked about, nor put in.
 */
export const maskingFor = (
  model: Pick<Model, 'tokenizer' | 'info'>,
): ((example: Encoded, random: Stream) => Varied) => {
  const mask = maskTokenOf(model);
  const special = specialIds(model);
  const others = allIds(tokenizerIn(model)).filter((id) => !special.has(id));
  const inPlaceOf = (id: number, random: Stream): number => {
    const draw = random.uniform();
    if (draw < HIDDEN) return mask?.id ?? id;
    return draw < HIDDEN + REPLACED ? (others[random.integer(others.length)] ?? id) : id;
  };
  return (example, random) => {
    const written = asWritten(example);
    const original = tokensOf(written);
    const places = mask === undefined ? new Int32Array() : placesOf(original, special, random);
    const tokens = Int32Array.from(original);
    for (const place of places) tokens[place] = inPlaceOf(original[place] ?? 0, random);
    return {
      encoded: { ...written, byRole: { ...written.byRole, tokens, original }, places },
      targets: Array.from(places, (place) => original[place] ?? 0),
    };
  };
};
