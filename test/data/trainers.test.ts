import { Tokenizer } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { permutation, stream } from '../../data/random.ts';
import { tokenizerOf } from '../../data/tokenize.ts';
import { trainByteBpe } from '../../data/tokenizers/bpe.ts';
import { learnMerges } from '../../data/tokenizers/merges.ts';
import { trainWordPiece } from '../../data/tokenizers/wordpiece.ts';
import { glosses, oddTexts } from './corpus.ts';

let texts: readonly string[] = [];
beforeAll(async () => {
  texts = [...(await glosses(3000)), ...oddTexts];
});

const shuffled = (items: readonly string[]): readonly string[] =>
  [...permutation(items.length, stream(1, 'shuffle'))].map((index) => items[index] ?? '');

const trainers = [
  ['WordPiece', trainWordPiece],
  ['byte-level BPE', trainByteBpe],
] as const;

const join = (left: string, right: string): string => left + right;

/** Counts all pairs anew for every merge: slow and plain. */
const plainMerges = (words: ReadonlyMap<string, number>, size: number, minFrequency: number) => {
  let cuts = [...words].map(([word, count]) => ({ parts: [...word], count }));
  const symbols = [...new Set(cuts.flatMap(({ parts }) => parts))].sort();
  const merges: [string, string][] = [];
  while (symbols.length < size) {
    const counts = new Map<string, { pair: [string, string]; count: number }>();
    for (const { parts, count } of cuts) {
      for (const [i, left] of parts.slice(0, -1).entries()) {
        const pair: [string, string] = [left, parts[i + 1] ?? ''];
        const known = counts.get(JSON.stringify(pair));
        counts.set(JSON.stringify(pair), { pair, count: (known?.count ?? 0) + count });
      }
    }
    const order = [...counts.values()].sort(
      (a, b) =>
        b.count - a.count ||
        (a.pair[0] === b.pair[0] ? (a.pair[1] < b.pair[1] ? -1 : 1) : a.pair[0] < b.pair[0] ? -1 : 1),
    );
    const best = order[0];
    if (best === undefined || best.count < minFrequency) break;
    const [left, right] = best.pair;
    merges.push([left, right]);
    if (!symbols.includes(left + right)) symbols.push(left + right);
    cuts = cuts.map(({ parts, count }) => {
      const joined: string[] = [];
      for (let i = 0; i < parts.length; i++) {
        const hit = parts[i] === left && parts[i + 1] === right;
        joined.push(hit ? left + right : (parts[i] ?? ''));
        if (hit) i++;
      }
      return { parts: joined, count };
    });
  }
  return { symbols, merges };
};

describe('learnMerges', () => {
  it('merges the pair that counts most, over and over', () => {
    const words = new Map([
      ['low', 5],
      ['lower', 2],
      ['newest', 6],
      ['widest', 3],
    ]);
    const { merges } = learnMerges(words, (word) => [...word], { size: 13, minFrequency: 2, join });
    expect(merges.map((pair) => pair.join('+'))).toEqual(['e+s', 'es+t', 'l+o']);
  });

  it('takes the first as text of equally frequent pairs', () => {
    const words = new Map([
      ['zy', 4],
      ['ab', 4],
      ['ac', 4],
    ]);
    const { merges } = learnMerges(words, (word) => [...word], { size: 8, minFrequency: 2, join });
    expect(merges).toEqual([
      ['a', 'b'],
      ['a', 'c'],
      ['z', 'y'],
    ]);
  });

  it('leaves rare pairs apart', () => {
    const words = new Map([
      ['ab', 3],
      ['cd', 2],
    ]);
    const { symbols } = learnMerges(words, (word) => [...word], { size: 100, minFrequency: 3, join });
    expect(symbols).toEqual(['a', 'b', 'c', 'd', 'ab']);
  });

  it('agrees with counting all pairs anew for every merge', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 8 });
    const corpus = fc.array(fc.tuple(word, fc.integer({ min: 1, max: 9 })), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(corpus, fc.integer({ min: 4, max: 20 }), (entries, size) => {
        const words = new Map(entries);
        const options = { size, minFrequency: 2, join };
        expect(learnMerges(words, (text) => [...text], options)).toEqual(plainMerges(words, size, 2));
      }),
      { numRuns: 300 },
    );
  });
});

describe.each(trainers)('training %s', (_, train) => {
  it('gives equal bytes for equal texts in another order', () => {
    expect(JSON.stringify(train(shuffled(texts), { size: 2000 }))).toBe(JSON.stringify(train(texts, { size: 2000 })));
  });

  it('fills the vocabulary to its size, ids without gaps, special tokens first', () => {
    const encoder = tokenizerOf(train(texts, { size: 2000 }));
    expect(encoder.size).toBe(2000);
    const tokens = Array.from({ length: 2000 }, (_unused, id) => encoder.token(id));
    expect(new Set(tokens).size).toBe(2000);
    expect(tokens.slice(0, 5)).toEqual(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']);
  });

  it('writes common words in one token and rare ones in several', async () => {
    const encoder = tokenizerOf(train(texts, { size: 2000 }));
    const count = async (text: string): Promise<number> => (await encoder.encode(text, 100)).ids.length - 2;
    expect(await count('the')).toBe(1);
    expect(await count('quetzalcoatlus')).toBeGreaterThan(2);
  });

  it('refuses a size that leaves no room', () => {
    expect(() => train(texts, { size: 5 })).toThrow('expected a whole number above');
  });
});

describe('byte-level BPE', () => {
  it('gives any text back', async () => {
    const json = trainByteBpe(texts, { size: 1000 });
    const library = new Tokenizer(json, { clean_up_tokenization_spaces: false });
    const encoder = tokenizerOf(json);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 1 }), async (text) => {
        const body = [...(await encoder.encode(text, 10_000)).ids].slice(1, -1);
        const back = body.length === 0 ? '' : library.decode(body);
        const normalized = text.normalize('NFC');
        expect(back).toBe(normalized.startsWith(' ') ? normalized : ` ${normalized}`);
      }),
      { numRuns: 300 },
    );
  });
});

describe('WordPiece', () => {
  it('keeps rare scripts out of a small alphabet', async () => {
    const encoder = tokenizerOf(trainWordPiece([...texts, '㐀'], { size: 120 }));
    expect([...(await encoder.encode('㐀', 8)).ids].map((id) => encoder.token(id))).toEqual([
      '[CLS]',
      '[UNK]',
      '[SEP]',
    ]);
  });

  it('keeps case on request', async () => {
    const json = trainWordPiece(['Rome', 'Rome', 'rome', 'rome'], { size: 40, lowercase: false });
    const encoder = tokenizerOf(json);
    expect([...(await encoder.encode('Rome rome', 8)).ids].map((id) => encoder.token(id))).toEqual([
      '[CLS]',
      'Rome',
      'rome',
      '[SEP]',
    ]);
  });
});
