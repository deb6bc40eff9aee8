import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { AutoTokenizer } from '@huggingface/transformers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { preTokenizerOf, tokenizerOf } from '../../data/tokenize.ts';
import type { TokenizerJson } from '../../data/tokenizer.ts';
import { trainByteBpe } from '../../data/tokenizers/bpe.ts';
import { riskyPatterns } from '../../data/tokenizers/time-limit.ts';
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

/** The library as it is, one text after the other. */
const libraryOf = (json: TokenizerJson): ((text: string) => number[]) => {
  const library = new Tokenizer(json, {});
  return (text) => [...library.encode(text).ids];
};

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

type Encode = (text: string) => ArrayLike<number>;

/** Texts that two encoders cut differently. Empty texts are apart: decant never gives no token at all. */
const differing = (one: Encode, other: Encode): readonly string[] =>
  texts.filter((text) => text !== '' && Array.from(one(text)).join() !== Array.from(other(text)).join());

describe('tokenizerOf', () => {
  it.each(kinds)('gives the ids of the library, whatever was encoded before: %s', (_, make) => {
    const json = make();
    const [encoder, library] = [tokenizerOf(json), libraryOf(json)];
    expect(differing((text) => encoder.encode(text, LONG).ids, library)).toEqual([]);
    expect(differing((text) => encoder.encode(text, LONG).ids, library)).toEqual([]);
  });

  it.each(kinds)('gives the ids of transformers.js: %s', async (_, make) => {
    const json = make();
    const home = await mkdtemp(join(folder, 'tokenizer-'));
    await writeFile(join(home, 'tokenizer.json'), JSON.stringify(json));
    const config = { tokenizer_class: 'PreTrainedTokenizerFast', clean_up_tokenization_spaces: false };
    await writeFile(join(home, 'tokenizer_config.json'), JSON.stringify(config));
    const loaded = await AutoTokenizer.from_pretrained(home, { local_files_only: true });
    const encoder = tokenizerOf(json);
    const theirs = (text: string): ArrayLike<number> => loaded.encode(text);
    expect(differing((text) => encoder.encode(text, LONG).ids, theirs)).toEqual([]);
  });

  it('cuts long texts and keeps the closing special token', () => {
    const encoder = tokenizerOf(trainWordPiece(texts, { size: 1000 }));
    const whole = [...encoder.encode('a small animal of the sea', LONG).ids];
    expect(whole.length).toBeGreaterThan(6);
    expect([...encoder.encode('a small animal of the sea', whole.length).ids]).toEqual(whole);
    expect([...encoder.encode('a small animal of the sea', 5).ids]).toEqual([...whole.slice(0, 4), whole.at(-1)]);
    expect([...encoder.encode('a small animal of the sea', 1).ids]).toEqual([whole.at(-1)]);
  });

  it('cuts texts without special tokens at the end', () => {
    const encoder = tokenizerOf(unigram());
    const whole = [...encoder.encode('a small animal of the sea', LONG).ids];
    expect([...encoder.encode('a small animal of the sea', 3).ids]).toEqual(whole.slice(0, 3));
  });

  it('gives an empty text one token: unknown, or the special ones', () => {
    expect([...tokenizerOf(unigram()).encode('', 8).ids]).toEqual([0]);
    const framed = tokenizerOf(trainWordPiece(texts, { size: 1000 }));
    expect([...framed.encode('', 8).ids].map((id) => framed.token(id))).toEqual(['[CLS]', '[SEP]']);
  });

  it('hands out arrays of their own', () => {
    const encoder = tokenizerOf(unigram());
    encoder.encode('', 8).ids[0] = 7;
    expect([...encoder.encode('', 8).ids]).toEqual([0]);
  });

  it('knows its size and its tokens', () => {
    const encoder = tokenizerOf(unigram());
    expect(encoder.size).toBe(8000);
    expect(encoder.token(9)).toBe('▁the');
    expect(encoder.token(8000)).toBeUndefined();
  });

  it('says which part a tokenizer.json lacks', () => {
    expect(() => tokenizerOf({ normalizer: null, model: {} })).toThrow(
      "tokenizer.json lacks 'pre_tokenizer', 'post_processor', 'decoder', 'added_tokens' (null where it has none)",
    );
  });
});

describe('unigramTokenizer', () => {
  it('cuts as the original algorithm does, on thousands of definitions and odd texts', () => {
    const encoder = tokenizerOf(unigram());
    expect(differing((text) => encoder.encode(text, LONG).ids, viterbi)).toEqual([]);
  });

  it('cuts as the original algorithm does, on any words', () => {
    const encoder = tokenizerOf(unigram());
    // Equally good cuts of repeated marks ("----") are the library's to choose between, so words have letters only.
    const word = fc.string({ unit: fc.constantFrom(...'abcdefghilmnoprstuvwyéß☃'), minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (words) => {
        const text = words.join(' ');
        const score = (ids: readonly number[]): number =>
          ids.reduce((sum, id) => sum + (id < RESERVED ? 0 : (pieces[id]?.[1] ?? 0)), 0);
        const ids = [...encoder.encode(text, LONG).ids];
        expect(score(ids)).toBeCloseTo(score(viterbi(text)), 9);
        expect(ids.filter((id) => id === 0).length).toBe(viterbi(text).filter((id) => id === 0).length);
      }),
      { numRuns: 500 },
    );
  });

  it('never cuts a text into control symbols', () => {
    const ids = [...tokenizerOf(unigram()).encode('<s></s> <s> extra_token_id_2', LONG).ids];
    expect(ids.filter((id) => id < RESERVED)).toEqual([]);
  });

  it('takes the last of repeated pieces', () => {
    const vocabulary = [
      ['?', 0],
      ['▁', -2],
      ['a', -3],
      ['▁a', -9],
      ['▁a', -1],
    ] as const;
    const encoder = tokenizerOf(unigramTokenizer(vocabulary, { unknown: 0, reserved: 1 }));
    expect([...encoder.encode('a', 8).ids]).toEqual([4]);
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

it('a word-level tokenizer gives words that it does not know the id of its unknown token', () => {
  const model = { type: 'WordLevel', unk_token: '[?]', vocab: { cat: 0, dog: 1, '[?]': 2 } };
  const parts = { normalizer: null, pre_tokenizer: { type: 'WhitespaceSplit' }, post_processor: null, decoder: null };
  expect([...tokenizerOf({ ...parts, model, added_tokens: [] }).encode('dog bird cat', LONG).ids]).toEqual([1, 2, 0]);
});

describe('a pattern that backtracks without end', () => {
  const endless = '(?:a+)+b';
  const split = { type: 'Split', pattern: { Regex: endless }, behavior: 'Isolated', invert: false };
  const withPattern = (change: TokenizerJson): TokenizerJson => ({
    ...trainWordPiece(['a b'], { size: 100 }),
    ...change,
  });

  it('ends with an error that names it and the text', () => {
    const text = 'a'.repeat(60);
    const encoder = tokenizerOf(withPattern({ pre_tokenizer: { type: 'Sequence', pretokenizers: [split] } }));
    expect(encoder.encode('ab', LONG).ids.length).toBeGreaterThan(2);
    expect(() => encoder.encode(text, LONG)).toThrow(
      `tokenizer.json: after 2.0 seconds its patterns ('${endless}') were not through with a text of 60 characters ("${text}"): ` +
        'one of them repeats what is repeated already; write it without, or take another tokenizer',
    );
  });

  it('cannot hide behind an added token that is normalised as the file is loaded', () => {
    const normalizer = { type: 'Replace', pattern: { Regex: endless }, content: '' };
    const added = { id: 0, content: 'a'.repeat(60), special: false, normalized: true };
    expect(() => tokenizerOf(withPattern({ normalizer, added_tokens: [added] }))).toThrow(/were not through with/);
  });

  it.each([' {2,}', '\u2581[^\u2581]*', '', 'a+', '\\d', 'x'])('is none of %j, which needs no limit', (Regex) => {
    expect(riskyPatterns({ pre_tokenizer: { ...split, pattern: { Regex } } })).toEqual([]);
  });

  it.each([endless, 'a+b', '(a|a)', 'a{2,}{3}', "'s| ?\\p{L}+", 'a?b+'])('may be %j', (Regex) => {
    expect(riskyPatterns({ normalizer: { type: 'Sequence', normalizers: [{ pattern: { Regex } }] } })).toEqual([Regex]);
  });
});
