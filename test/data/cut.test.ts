import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { tokenizerOf } from '../../data/tokenize.ts';
import type { TokenizerJson } from '../../data/tokenizer.ts';
import { trainByteBpe } from '../../data/tokenizers/bpe.ts';
import { cutTokenizer } from '../../data/tokenizers/cut.ts';
import { learnMerges } from '../../data/tokenizers/merges.ts';
import { listOf, partOf, vocabularyOf } from '../../data/tokenizers/parts.ts';
import { countWords } from '../../data/tokenizers/vocabulary.ts';
import { trainWordPiece } from '../../data/tokenizers/wordpiece.ts';
import { usedTokens } from '../rig/used-tokens.ts';
import { glosses, oddTexts, unigram } from './corpus.ts';

const LONG = 100_000;
const RUNS = 5;

let texts: readonly string[] = [];
beforeAll(async () => {
  texts = [...(await glosses(600)), ...oddTexts];
});

const ends = '</w>';

/** BPE over characters with an end-of-word mark and bytes to fall back to, which decant itself does not train. */
const characterBpe = (): TokenizerJson => {
  const frame = {
    version: '1.0',
    truncation: null,
    added_tokens: [],
    normalizer: { type: 'Lowercase' },
    decoder: null,
  };
  const bare = {
    ...frame,
    pre_tokenizer: { type: 'WhitespaceSplit' },
    post_processor: null,
    model: { type: 'BPE', vocab: {}, merges: [] },
  };
  const letters = (word: string): string[] => {
    const all = Array.from(word);
    return [...all.slice(0, -1), `${all.at(-1)}${ends}`];
  };
  const ascii = new Map([...countWords(texts, bare)].filter(([word]) => /^[\x21-\x7e]+$/.test(word)));
  const learned = learnMerges(ascii, letters, { size: 1500, minFrequency: 2, join: (left, right) => left + right });
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  const vocab = Object.fromEntries(['<unk>', ...bytes, ...learned.symbols].map((token, id) => [token, id]));
  return {
    ...bare,
    padding: { strategy: 'BatchLongest', direction: 'Right', pad_id: 0, pad_type_id: 0, pad_token: '<unk>' },
    model: {
      ...{ type: 'BPE', unk_token: '<unk>', end_of_word_suffix: ends, byte_fallback: true, fuse_unk: false },
      ...{ vocab, merges: learned.merges.map(([left, right]) => `${left} ${right}`) },
    },
  };
};

/** The commonest words, each a token; all others are unknown. */
const wordLevel = (): TokenizerJson => {
  const json = { ...trainWordPiece([], { size: 6 }), post_processor: null, added_tokens: [] };
  const words = [...countWords(texts, json)].sort(([, a], [, b]) => b - a).slice(0, 1000);
  const vocab = Object.fromEntries(['[UNK]', ...words.map(([word]) => word)].map((word, id) => [word, id]));
  return { ...json, model: { type: 'WordLevel', unk_token: '[UNK]', vocab } };
};

const kinds: readonly (readonly [string, () => TokenizerJson])[] = [
  ['WordPiece', () => trainWordPiece(texts, { size: 2500 })],
  ['byte-level BPE', () => trainByteBpe(texts, { size: 2500 })],
  ['BPE of characters', characterBpe],
  ['unigram', unigram],
];

const allKinds: typeof kinds = [...kinds, ['words', wordLevel]];

describe('a cut tokenizer', () => {
  it.each(allKinds)('encodes the texts it was cut for as before: %s', async (_, make) => {
    const json = make();
    const whole = tokenizerOf(json);
    const some = fc
      .integer({ min: 0, max: texts.length - 1 })
      .chain((first) => fc.integer({ min: 1, max: 25 }).map((count) => texts.slice(first, first + count)));
    await fc.assert(
      fc.asyncProperty(some, async (kept) => {
        const { tokenizer, ids } = cutTokenizer(json, [...(await usedTokens(json, kept)).keys()]);
        const cut = tokenizerOf(tokenizer);
        expect(cut.size).toBe(ids.length);
        const all = [...kept, { text: kept[0] ?? '', pair: kept.at(-1) ?? '' }];
        const [said, again] = await Promise.all([whole.encodeBatch(all, LONG), cut.encodeBatch(all, LONG)]);
        for (const [i, before] of said.entries()) {
          const after = again[i] ?? { ids: new Int32Array() };
          expect([...after.ids].map((id) => ids[id])).toEqual([...before.ids]);
          expect([...after.ids].map((id) => cut.token(id))).toEqual([...before.ids].map((id) => whole.token(id)));
          expect(after.types).toEqual(before.types);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it.each(kinds)('still cuts other texts into known tokens where the whole one does: %s', async (_, make) => {
    const json = make();
    const { tokenizer, ids } = cutTokenizer(json, []);
    const [whole, cut] = [tokenizerOf(json), tokenizerOf(tokenizer)];
    expect(ids.length).toBeLessThan(whole.size / 2);
    const names = ['[UNK]', '<unk>', '\ufffd'];
    const isKnown = (encoded: Int32Array): boolean => encoded.every((id) => !names.includes(whole.token(id) ?? ''));
    const before = await whole.encodeBatch(texts, LONG);
    expect(before.filter((encoded) => isKnown(encoded.ids)).length).toBeGreaterThan(500);
    const after = await cut.encodeBatch(texts.slice(0, 200), LONG);
    for (const [i, encoded] of after.entries()) {
      if (!isKnown(before[i]?.ids ?? new Int32Array())) continue;
      expect([texts[i], isKnown(encoded.ids.map((id) => ids[id] ?? -1))]).toEqual([texts[i], true]);
    }
  });

  it.each(allKinds)('is the whole one when all is kept: %s', (_, make) => {
    const json = make();
    const all = Array.from({ length: tokenizerOf(json).size }, (_, id) => id);
    expect(cutTokenizer(json, all)).toEqual({ tokenizer: json, ids: Int32Array.from(all) });
  });

  it('of words has an unknown token, or is refused', () => {
    const json = wordLevel();
    const bare = { ...json, model: { ...partOf(json.model), unk_token: '<none>' } };
    expect(cutTokenizer(json, [7]).ids).toEqual(Int32Array.of(0, 7));
    expect(() => cutTokenizer(bare, [7])).toThrow('a WordLevel tokenizer whose vocabulary lacks its unk_token');
  });

  it('keeps what an unknown word matched before it was given up', async () => {
    const vocab = { '[UNK]': 0, ab: 1, a: 2, '##b': 3, '##bc': 4, c: 5, '##c': 6, abb: 7 };
    const json = {
      ...trainWordPiece([], { size: 6 }),
      added_tokens: [],
      post_processor: null,
      model: {
        type: 'WordPiece',
        unk_token: '[UNK]',
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 100,
        vocab,
      },
    };
    expect([...(await tokenizerOf(json).encode('abbd', LONG)).ids]).toEqual([0]);
    const used = await usedTokens(json, ['abbd']);
    expect([...used.keys()].sort()).toEqual([0, 7]);
    expect([...(await tokenizerOf(cutTokenizer(json, [...used.keys()]).tokenizer).encode('abbd', LONG)).ids]).toEqual([
      0,
    ]);
  });

  it('counts how often tokens are used, pairs on both sides', async () => {
    const json = trainWordPiece(['a cat', 'a dog'], { size: 40, minFrequency: 1 });
    const id = (token: string): number => vocabularyOf(json).get(token) ?? -1;
    const used = await usedTokens(json, ['a cat', { text: 'a dog', pair: 'a cat' }]);
    expect(used.get(id('cat'))).toBe(2);
    expect(used.get(id('a'))).toBe(3);
    expect(used.get(id('[SEP]'))).toBe(3);
  });

  it('numbers special tokens, processors and padding anew', () => {
    const json: TokenizerJson & { readonly padding: object } = {
      ...trainWordPiece(texts, { size: 400 }),
      padding: { strategy: { Fixed: 8 }, pad_id: 3, pad_token: '[SEP]' },
      post_processor: {
        type: 'Sequence',
        processors: [{ type: 'ByteLevel' }, { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] }],
      },
    };
    // Ids as files of BERT have them: unused ones in front of those with a role.
    const moved = {
      ...json,
      model: {
        ...partOf(json.model),
        vocab: Object.fromEntries([...vocabularyOf(json)].map(([token, id]) => [token, id + 10])),
      },
    };
    const shifted = {
      ...moved,
      added_tokens: listOf(json.added_tokens).map((token) => ({ ...partOf(token), id: Number(partOf(token).id) + 10 })),
      padding: { ...json.padding, pad_id: 13 },
      post_processor: {
        type: 'Sequence',
        processors: [{ type: 'ByteLevel' }, { type: 'BertProcessing', sep: ['[SEP]', 13], cls: ['[CLS]', 12] }],
      },
    };
    const { tokenizer, ids } = cutTokenizer(shifted, []);
    expect(ids[0]).toBe(10);
    expect(tokenizer.padding).toEqual(json.padding);
    expect(tokenizer.post_processor).toEqual(json.post_processor);
    expect(tokenizer.added_tokens).toEqual(json.added_tokens);
  });

  it('refuses ids and kinds that it does not know', () => {
    const json = trainWordPiece(texts, { size: 400 });
    expect(() => cutTokenizer(json, [400])).toThrow('the tokenizer has no token 400, so it cannot be kept');
    const model = { type: 'Other', vocab: { a: 0 }, unk_token: 'a' };
    expect(() => cutTokenizer({ ...json, model }, [])).toThrow(
      "a tokenizer of kind 'Other' cannot be cut; expected WordPiece, WordLevel, BPE, Unigram",
    );
  });
});
