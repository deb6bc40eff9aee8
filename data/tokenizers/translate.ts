import { isDeepStrictEqual } from 'node:util';
import { type TextInput, tokenizerOf } from '../tokenize.ts';
import type { TokenizerJson } from '../tokenizer.ts';
import { partOf } from './parts.ts';

/** What decides how a text is read, besides the tokens there are. */
const rules = ['normalizer', 'pre_tokenizer'] as const;

const sameRules = (a: TokenizerJson, b: TokenizerJson): boolean =>
  rules.every((rule) => isDeepStrictEqual(a[rule], b[rule])) && partOf(a.model).type === partOf(b.model).type;

/** Nothing but the special tokens around one text and around two. */
const frames: readonly TextInput[] = ['', { text: '', pair: '' }];

/**
 * For each token of one tokenizer the id that the other has for it, so that a model of the other can read what the first
 * one cut. Undefined where they read texts by other rules, or the other lacks a token.
 */
export const tokenTranslation = (from: TokenizerJson, to: TokenizerJson): Int32Array | undefined => {
  if (!sameRules(from, to)) return undefined;
  const [mine, theirs] = [tokenizerOf(from), tokenizerOf(to)];
  const idOf = new Map(Array.from({ length: theirs.size }, (_, id) => [theirs.token(id), id]));
  const ids = Int32Array.from({ length: mine.size }, (_, id) => idOf.get(mine.token(id)) ?? -1);
  const framed = frames.every((frame) => {
    const [a, b] = [mine, theirs].map((tokenizer) => tokenizer.encode(frame, Number.POSITIVE_INFINITY).ids);
    return isDeepStrictEqual(
      a?.map((id) => ids[id] ?? -1),
      b,
    );
  });
  return framed && !ids.includes(-1) ? ids : undefined;
};
