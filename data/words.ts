/** A word and where it stands in its text, in characters (code points). */
export interface PlacedWord {
  readonly word: string;
  readonly start: number;
  readonly end: number;
}

/** Letters and digits, with marks over them; scripts without spaces have a word a letter. */
const pieces =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]\p{M}*|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}])[\p{L}\p{N}\p{M}])+|[^\s\p{L}\p{N}]\p{M}*/gu;

const lengthOf = (text: string): number => {
  let length = 0;
  for (const _ of text) length++;
  return length;
};

const matches = (text: string, pattern: RegExp): readonly PlacedWord[] => {
  const words: PlacedWord[] = [];
  let [unit, character] = [0, 0];
  for (const { 0: word, index } of text.matchAll(pattern)) {
    const start = character + lengthOf(text.slice(unit, index));
    const end = start + lengthOf(word);
    words.push({ word, start, end });
    [unit, character] = [index + word.length, end];
  }
  return words;
};

/**
 * The words of a text in which entities stand: runs of letters and digits, and each other mark by itself, as most tokenizers
 * part them. The same for texts that are learned from and for those that a model is asked about.
 */
export const placedWords = (text: string): readonly PlacedWord[] => matches(text, pieces);

/** Words as spaces part them. */
export const spacedWords = (text: string): readonly PlacedWord[] => matches(text, /\S+/g);
