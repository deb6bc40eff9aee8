import type { Encoding } from './library.ts';

/** Code points of a word: what the library counts in. */
const lengthOf = (word: string): number => {
  let length = 0;
  for (const _ of word) length++;
  return length;
};

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where each word stands, in code points; the space before a word belongs to it, as tokens count it. */
const spansOf = (text: string): readonly Span[] => {
  let at = 0;
  return text.split(' ').map((word) => {
    const end = at + lengthOf(word);
    const span = { start: Math.max(0, at - 1), end };
    at = end + 1;
    return span;
  });
};

/**
 * The place of the first token of each word of a text, -1 where there is none: the word was cut off, or the tokenizer drops
 * it. A token that reaches over words stands for each of them.
 */
export const placesOf = (text: string, encoding: Encoding, kept: readonly number[] | undefined): Int32Array => {
  const sequences = encoding.getSequenceIds();
  const spans = spansOf(text);
  const places = new Int32Array(spans.length).fill(-1);
  const startOf = (word: number): number => spans[word]?.start ?? Number.POSITIVE_INFINITY;
  let first = 0;
  encoding.getOffsets().forEach(([start, end], token) => {
    if (sequences[token] == null) return;
    while ((spans[first]?.end ?? Number.POSITIVE_INFINITY) <= start) first++;
    for (let word = first; startOf(word) < Math.max(end, start + 1); word++) {
      if (places[word] === -1) places[word] = token;
    }
  });
  if (kept === undefined) return places;
  const now = new Map(kept.map((old, at) => [old, at]));
  return places.map((place) => now.get(place) ?? -1);
};
