import { isDeepStrictEqual } from 'node:util';
import { type TextEncoder, type TextInput, tokenizerOf } from '../tokenize.ts';
import type { TokenizerJson } from '../tokenizer.ts';
import { rulesOf } from './rules.ts';

/** Nothing but the special tokens around one text and around two. */
const frames: readonly TextInput[] = ['', { text: '', pair: '' }];

const framesOf = async (tokenizer: TextEncoder): Promise<readonly Int32Array[]> =>
  (await tokenizer.encodeBatch(frames, Number.POSITIVE_INFINITY)).map(({ ids }) => ids);

/**
 * For each token of one tokenizer the id that the other has for it, so that a model of the other can read what the first
 * one cut. Undefined where they read texts by other rules, or the other lacks a token.
 */
export const tokenTranslation = async (from: TokenizerJson, to: TokenizerJson): Promise<Int32Array | undefined> => {
  if (!isDeepStrictEqual(rulesOf(from), rulesOf(to))) return undefined;
  const [mine, theirs] = [tokenizerOf(from), tokenizerOf(to)];
  const idOf = new Map(Array.from({ length: theirs.size }, (_, id) => [theirs.token(id), id]));
  const ids = Int32Array.from({ length: mine.size }, (_, id) => idOf.get(mine.token(id)) ?? -1);
  const [a, b] = await Promise.all([framesOf(mine), framesOf(theirs)]);
  const translated = a.map((frame) => frame.map((id) => ids[id] ?? -1));
  return isDeepStrictEqual(translated, b) && !ids.includes(-1) ? ids : undefined;
};
