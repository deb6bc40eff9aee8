import { distance } from 'fastest-levenshtein';

/** How a written answer compares with the right one. */
export interface ComparedAnswer {
  readonly exact: boolean;
  /** Words to be put in, taken out or changed, and the words of the right answer. */
  readonly edits: number;
  readonly words: number;
}

const wordsOf = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== '');

/** Words as characters, one of its own each: what counts changes of characters then counts those of words. */
const asCharacters = (lists: readonly (readonly string[])[]): readonly string[] => {
  const codes = new Map<string, string>();
  const codeOf = (word: string): string => {
    const known = codes.get(word) ?? String.fromCharCode(codes.size);
    codes.set(word, known);
    return known;
  };
  return lists.map((words) => words.map(codeOf).join(''));
};

/** Spaces at the ends, and how many there are between words, make no other answer. */
export const compareAnswers = (written: string, right: string): ComparedAnswer => {
  const [mine, theirs] = [wordsOf(written), wordsOf(right)];
  const [a = '', b = ''] = asCharacters([mine, theirs]);
  const edits = distance(a, b);
  return { exact: edits === 0, edits, words: theirs.length };
};

/** How the answers of some texts compare, at one answer about each of them; zeros elsewhere. */
export interface WrittenColumns {
  /** 1 where an answer was written. */
  readonly written: Int32Array;
  readonly exact: Int32Array;
  readonly edits: Int32Array;
  readonly words: Int32Array;
}

export const writtenNames = ['written', 'exact', 'edits', 'words'] as const;
