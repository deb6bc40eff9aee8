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

/** Where the words of a text stand among its tokens. */
export interface WordPlaces {
  /**
   * The place of the first token of each word, -1 where there is none: the word was cut off, or the tokenizer drops it. A
   * token that reaches over words stands for each of them.
   */
  readonly words: Int32Array;
  /** 1 for each token that goes on with the word of the one before it. */
  readonly continued: Uint8Array;
}

export const placesOf = (text: string, encoding: Encoding, kept: readonly number[] | undefined): WordPlaces => {
  const sequences = encoding.getSequenceIds();
  const spans = spansOf(text);
  const places = new Int32Array(spans.length).fill(-1);
  const continued = Uint8Array.from(sequences, (sequence) => Number(sequence != null));
  const startOf = (word: number): number => spans[word]?.start ?? Number.POSITIVE_INFINITY;
  let first = 0;
  encoding.getOffsets().forEach(([start, end], token) => {
    if (sequences[token] == null) return;
    while ((spans[first]?.end ?? Number.POSITIVE_INFINITY) <= start) first++;
    for (let word = first; startOf(word) < Math.max(end, start + 1); word++) {
      if (places[word] !== -1) continue;
      places[word] = token;
      continued[token] = 0;
    }
  });
  if (kept === undefined) return { words: places, continued };
  const now = new Map(kept.map((old, at) => [old, at]));
  return {
    words: places.map((place) => now.get(place) ?? -1),
    continued: Uint8Array.from(kept, (old) => continued[old] ?? 0),
  };
};
