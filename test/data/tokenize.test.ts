import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AutoTokenizer } from '@huggingface/transformers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { preTokenizerOf, tokenizerOf } from '../../data/tokenize.ts';
import type { TokenizerJson } from '../../data/tokenizer.ts';
import { trainByteBpe } from '../../data/tokenizers/bpe.ts';
import { unigramTokenizer } from '../../data/tokenizers/unigram.ts';
import { trainWordPiece } from '../../data/tokenizers/wordpiece.ts';
import { glosses, oddTexts, pieces, RESERVED, unigram } from './corpus.ts';

const LONG = 100_000;

let texts: readonly string[] = [];
let folder = '';
beforeAll(async () => {
  texts = [...(await glosses(3000)), ...oddTexts];
  folder = await mkdtemp(join(tmpdir(), 'decant-tokenize-'));
});
afterAll(() => rm(folder, { recursive: true }));

const kinds: readonly (readonly [string, () => TokenizerJson])[] = [
  ['unigram', unigram],
  ['WordPiece', () => trainWordPiece(texts, { size: 3000 })],
  ['byte-level BPE', () => trainByteBpe(texts, { size: 3000 })],
];

const byPiece = new Map(pieces.map(([piece, score], id) => [piece, { id, score }] as const).slice(RESERVED));
const longest = Math.max(...pieces.map(([piece]) => Array.from(piece).length));

/**
 * The published algorithm of the Universal Sentence Encoder's tokenizer, written down again as an oracle: NFKC, spaces to
 * marks, one mark in front, the best path over all pieces, neighbouring unknowns merged.
 */
const viterbi = (text: string): number[] => {
  const normalized = text.normalize('NFKC');
  const symbols = Array.from(normalized === '' ? '' : `▁${normalized.replaceAll(' ', '▁')}`);
  const best: { score: number; id: number; from: number }[] = [{ score: 0, id: 0, from: 0 }];
  for (let end = 1; end <= symbols.length; end++) {
    let chosen = { score: (best[end - 1]?.score ?? 0) - 1000, id: 0, from: end - 1 };
    for (let from = Math.max(0, end - longest); from < end; from++) {
      const piece = byPiece.get(symbols.slice(from, end).join(''));
      const score = (best[from]?.score ?? 0) + (piece?.score ?? Number.NEGATIVE_INFINITY);
      if (piece !== undefined && score > chosen.score) chosen = { score, id: piece.id, from };
    }
    best.push(chosen);
  }
  const ids: number[] = [];
  for (let at = symbols.length; at > 0; at = best[at]?.from ?? 0) ids.unshift(best[at]?.id ?? 0);
  return ids.filter((id, i) => id !== 0 || ids[i - 1] !== 0);
};

/** Texts that two encoders cut differently. Empty texts are apart: decant never gives no token at all. */
const differing = async (
  json: TokenizerJson,
  other: (text: string) => ArrayLike<number>,
): Promise<readonly string[]> => {
  const encoded = await tokenizerOf(json).encodeBatch(texts, LONG);
  return texts.filter((text, i) => text !== '' && encoded[i]?.ids.join() !== Array.from(other(text)).join());
};

describe('tokenizerOf', () => {
  it.each(kinds)('gives the same ids in any order, in lists and alone: %s', async (_, make) => {
    const encoder = tokenizerOf(make());
    const [there, back] = [await encoder.encodeBatch(texts, LONG), await encoder.encodeBatch(texts.toReversed(), LONG)];
    expect(back.toReversed()).toEqual(there);
    expect(await Promise.all(texts.slice(-50).map((text) => encoder.encode(text, LONG)))).toEqual(there.slice(-50));
  });

  it.each(kinds)('gives the ids of transformers.js: %s', async (_, make) => {
    const json = make();
    const home = await mkdtemp(join(folder, 'tokenizer-'));
    await writeFile(join(home, 'tokenizer.json'), JSON.stringify(json));
    const config = { tokenizer_class: 'PreTrainedTokenizerFast', clean_up_tokenization_spaces: false };
    await writeFile(join(home, 'tokenizer_config.json'), JSON.stringify(config));
    const loaded = await AutoTokenizer.from_pretrained(home, { local_files_only: true });
    expect(await differing(json, (text) => loaded.encode(text))).toEqual([]);
  });

  it('cuts long texts and keeps the closing special token', async () => {
    const encoder = tokenizerOf(trainWordPiece(texts, { size: 1000 }));
    const whole = [...(await encoder.encode('a small animal of the sea', LONG)).ids];
    expect(whole.length).toBeGreaterThan(6);
    expect([...(await encoder.encode('a small animal of the sea', whole.length)).ids]).toEqual(whole);
    expect([...(await encoder.encode('a small animal of the sea', 5)).ids]).toEqual([
      ...whole.slice(0, 4),
      whole.at(-1),
    ]);
    expect([...(await encoder.encode('a small animal of the sea', 1)).ids]).toEqual([whole.at(-1)]);
  });

  it('cuts texts without special tokens at the end', async () => {
    const encoder = tokenizerOf(unigram());
    const whole = [...(await encoder.encode('a small animal of the sea', LONG)).ids];
    expect([...(await encoder.encode('a small animal of the sea', 3)).ids]).toEqual(whole.slice(0, 3));
  });

  it('gives an empty text one token: unknown, or the special ones', async () => {
    expect([...(await tokenizerOf(unigram()).encode('', 8)).ids]).toEqual([0]);
    const framed = tokenizerOf(trainWordPiece(texts, { size: 1000 }));
    expect([...(await framed.encode('', 8)).ids].map((id) => framed.token(id))).toEqual(['[CLS]', '[SEP]']);
  });

  it('hands out arrays of their own', async () => {
    const encoder = tokenizerOf(unigram());
    (await encoder.encode('', 8)).ids[0] = 7;
    expect([...(await encoder.encode('', 8)).ids]).toEqual([0]);
  });

  it('knows its size and its tokens', () => {
    const encoder = tokenizerOf(unigram());
    expect(encoder.size).toBe(8000);
    expect(encoder.token(9)).toBe('▁the');
    expect(encoder.token(8000)).toBeUndefined();
  });

  it('says which part a tokenizer.json lacks', () => {
    expect(() => tokenizerOf({ normalizer: null, model: {} })).toThrow(
      "tokenizer.json: it lacks 'pre_tokenizer', 'post_processor', 'decoder', 'added_tokens' (null where it has none)",
    );
  });
});

describe('unigramTokenizer', () => {
  it('cuts as the original algorithm does, on thousands of definitions and odd texts', async () => {
    expect(await differing(unigram(), viterbi)).toEqual([]);
  });

  it('cuts as the original algorithm does, on any words', async () => {
    const encoder = tokenizerOf(unigram());
    // Equally good cuts of repeated marks ("----") are the library's to choose between, so words have letters only.
    const word = fc.string({ unit: fc.constantFrom(...'abcdefghilmnoprstuvwyéß☃'), minLength: 1, maxLength: 9 });
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 5 }), async (words) => {
        const text = words.join(' ');
        const score = (ids: readonly number[]): number =>
          ids.reduce((sum, id) => sum + (id < RESERVED ? 0 : (pieces[id]?.[1] ?? 0)), 0);
        const ids = [...(await encoder.encode(text, LONG)).ids];
        expect(score(ids)).toBeCloseTo(score(viterbi(text)), 9);
        expect(ids.filter((id) => id === 0).length).toBe(viterbi(text).filter((id) => id === 0).length);
      }),
      { numRuns: 500 },
    );
  });

  it('never cuts a text into control symbols', async () => {
    const ids = [...(await tokenizerOf(unigram()).encode('<s></s> <s> extra_token_id_2', LONG)).ids];
    expect(ids.filter((id) => id < RESERVED)).toEqual([]);
  });

  it('takes the last of repeated pieces', async () => {
    const vocabulary = [
      ['?', 0],
      ['▁', -2],
      ['a', -3],
      ['▁a', -9],
      ['▁a', -1],
    ] as const;
    const encoder = tokenizerOf(unigramTokenizer(vocabulary, { unknown: 0, reserved: 1 }));
    expect([...(await encoder.encode('a', 8)).ids]).toEqual([4]);
  });

  it('refuses pieces that span a space', () => {
    const across = [
      ['?', 0],
      ['▁of▁the', -1],
    ] as const;
    expect(() => unigramTokenizer(across, { unknown: 0, reserved: 1 })).toThrow(
      "the unigram piece '▁of▁the' spans a space, which is not supported",
    );
  });
});

describe('preTokenizerOf', () => {
  it('gives the words that the model will see', () => {
    expect(preTokenizerOf(unigram())('a ﬁne  day')).toEqual(['▁a', '▁fine', '▁', '▁day']);
    expect(preTokenizerOf(trainWordPiece(texts, { size: 500 }))("It's ÉTÉ.")).toEqual(['it', "'", 's', 'ete', '.']);
  });
});

it('a word-level tokenizer gives words that it does not know the id of its unknown token', async () => {
  const model = { type: 'WordLevel', unk_token: '[?]', vocab: { cat: 0, dog: 1, '[?]': 2 } };
  const parts = { normalizer: null, pre_tokenizer: { type: 'WhitespaceSplit' }, post_processor: null, decoder: null };
  expect([...(await tokenizerOf({ ...parts, model, added_tokens: [] }).encode('dog bird cat', LONG)).ids]).toEqual([
    1, 2, 0,
  ]);
});
