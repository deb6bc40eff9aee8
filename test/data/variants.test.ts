import { describe, expect, it } from 'vitest';
import { type EncodedText, type TextInput, tokenizerOf } from '../../data/tokenize.ts';
import { golden, type Row, tokenizerJsonOf } from './variants.ts';

const LONG = 100_000;
const { texts, lengths, variants } = golden;
const names = Object.keys(variants);

/** decant never gives no token at all: where Python gives none, the unknown one stands, or 0. */
const orSome = (ids: readonly number[], encoded: EncodedText | undefined): readonly number[] =>
  ids.length > 0 ? ids : [...(encoded?.ids.subarray(0, 1) ?? [])];

const rowOf = ({ ids, types }: EncodedText): string => `${ids} ${(types ?? new Uint8Array(ids.length)).join('')}`;

const pairs = texts.slice(0, -1).map((text, i): TextInput => ({ text, pair: texts[i + 1] ?? '' }));

/** A pair whose second text is empty is a single text to decant, as to transformers; and no text becomes no token. */
const isPair =
  (whole: readonly Row[]) =>
  (_: unknown, i: number): boolean =>
    texts[i + 1] !== '' && whole[i]?.[0].length !== 0;

it('the golden variants are many and odd', () => {
  expect(names.length).toBeGreaterThanOrEqual(60);
  expect(texts.length).toBeGreaterThanOrEqual(100);
});

describe.each(names)('tokenizer.json: %s', (name) => {
  const { ids = [], pairs: whole = [], cut = [] } = variants[name] ?? {};
  const encoder = tokenizerOf(tokenizerJsonOf(name));

  it('gives the ids of Python', async () => {
    const encoded = await encoder.encodeBatch(texts, LONG);
    const wrong = texts.filter((_, i) => encoded[i]?.ids.join() !== orSome(ids[i] ?? [], encoded[i]).join());
    expect(wrong).toEqual([]);
  });

  it('gives ids and types of pairs as Python does, whole and cut', async () => {
    const compared = isPair(whole);
    const expected = (rows: readonly Row[]) => rows.map(([row, types]) => `${row} ${types}`).filter(compared);
    const full = await encoder.encodeBatch(pairs, LONG);
    expect(full.map(rowOf).filter(compared)).toEqual(expected(whole));
    const short: string[] = [];
    for (const [at, length] of lengths.entries()) {
      const some = await encoder.encodeBatch(
        pairs.filter((_, i) => i % lengths.length === at),
        length,
      );
      for (const [i, one] of some.entries()) short[i * lengths.length + at] = rowOf(one);
    }
    expect(short.filter(compared)).toEqual(expected(cut));
  });
});
