import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { TokenizerJson } from '../../data/tokenizer.ts';

/** Ids, and the types in one digit each. */
export type Row = readonly [ids: readonly number[], types: string];

interface Variant {
  readonly model: string;
  readonly normalizer: TokenizerJson | null;
  readonly pre_tokenizer: TokenizerJson | null;
  readonly post_processor: TokenizerJson | null;
  readonly added_tokens: readonly TokenizerJson[];
  readonly ids: readonly (readonly number[])[];
  /** Each text with the one behind it, whole, and cut to one of the lengths after the other. */
  readonly pairs: readonly Row[];
  readonly cut: readonly Row[];
}

interface Document {
  readonly texts: readonly string[];
  readonly lengths: readonly number[];
  readonly models: Readonly<Record<string, TokenizerJson>>;
  readonly charsmaps: Readonly<Record<string, string>>;
  readonly variants: Readonly<Record<string, Variant>>;
}

/** What Python says of odd texts with every part of tokenizer.json; recipe.py stands beside the file. */
export const golden: Document = JSON.parse(
  gunzipSync(readFileSync(new URL('../golden/tokenizers/variants/variants.json.gz', import.meta.url))).toString(),
);

/** Parts with the tables of characters that they name. */
const filled = (part: unknown): unknown => {
  if (Array.isArray(part)) return part.map(filled);
  if (typeof part !== 'object' || part === null) return part;
  return Object.fromEntries(
    Object.entries(part).map(([key, value]) => [
      key,
      key === 'precompiled_charsmap' ? golden.charsmaps[String(value)] : filled(value),
    ]),
  );
};

/** The tokenizer.json of a variant. */
export const tokenizerJsonOf = (name: string): TokenizerJson => {
  const { model, normalizer, pre_tokenizer, post_processor, added_tokens } = golden.variants[name] ?? {};
  return {
    ...{ version: '1.0', truncation: null, padding: null, added_tokens, normalizer: filled(normalizer), pre_tokenizer },
    ...{ post_processor, decoder: null, model: golden.models[model ?? ''] },
  };
};
