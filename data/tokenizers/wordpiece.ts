import type { TokenizerJson } from '../tokenizer.ts';
import { learnMerges } from './merges.ts';
import { countWords, DEFAULT_MIN_FREQUENCY, frame, numbered, room, special, type TrainOptions } from './vocabulary.ts';

export interface WordPieceOptions extends TrainOptions {
  /** Texts are lower-cased and lose their accents. */
  readonly lowercase?: boolean;
}

const CONTINUING = '##';
const LONGEST_WORD = 100;

/** Characters beyond these are unknown: rare scripts would fill the vocabulary letter by letter. */
const LARGEST_ALPHABET = 1000;

const tokenizerJson = (lowercase: boolean, tokens: readonly string[]): TokenizerJson =>
  frame({
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    decoder: { type: 'WordPiece', prefix: CONTINUING, cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: special.unknown,
      continuing_subword_prefix: CONTINUING,
      max_input_chars_per_word: LONGEST_WORD,
      vocab: numbered(tokens),
    },
  });

/** `play` as p, ##l, ##a, ##y. */
const cut = (word: string): readonly string[] =>
  Array.from(word, (character, i) => (i === 0 ? character : CONTINUING + character));

const join = (left: string, right: string): string =>
  left + (right.startsWith(CONTINUING) ? right.slice(CONTINUING.length) : right);

const byCount = ([a, aCount]: readonly [string, number], [b, bCount]: readonly [string, number]): number =>
  bCount - aCount || (a < b ? -1 : 1);

/** The most frequent characters, ties by text; each has a form inside words too, so the room is for half as many. */
const alphabetOf = (words: ReadonlyMap<string, number>, room: number): ReadonlySet<string> => {
  const counts = new Map<string, number>();
  for (const [word, count] of words) {
    for (const character of word) counts.set(character, (counts.get(character) ?? 0) + count);
  }
  const most = Math.min(LARGEST_ALPHABET, room >> 1);
  return new Set(
    [...counts]
      .sort(byCount)
      .slice(0, most)
      .map(([character]) => character),
  );
};

/** A word with a character outside the alphabet is unknown as a whole, so it teaches nothing. */
const known = (words: ReadonlyMap<string, number>, alphabet: ReadonlySet<string>): ReadonlyMap<string, number> =>
  new Map(
    [...words].filter(([word]) => {
      const characters = Array.from(word);
      return characters.length <= LONGEST_WORD && characters.every((character) => alphabet.has(character));
    }),
  );

/**
 * Trains WordPiece (Schuster and Nakajima 2012) as Hugging Face's trainer does, by merging the most frequent pairs, and
 * gives the tokenizer.json. Equal texts give equal bytes, whatever their order.
 */
export const trainWordPiece = (texts: Iterable<string>, options: WordPieceOptions): TokenizerJson => {
  const { lowercase = true, minFrequency = DEFAULT_MIN_FREQUENCY } = options;
  const size = room(options);
  const words = countWords(texts, tokenizerJson(lowercase, []));
  const { symbols } = learnMerges(known(words, alphabetOf(words, size)), cut, { size, minFrequency, join });
  return tokenizerJson(lowercase, symbols);
};
