import type { Input } from '../../data/dataset.ts';
import type { TextInput } from '../../data/tokenize.ts';
import { BYTES_A_NUMBER, namedBytes } from './bytes.ts';

/** Sparse rows, one a text, of length 1 (compressed sparse row format). */
export interface SparseRows {
  /** Row i holds entries offsets[i] to offsets[i + 1] - 1. */
  readonly offsets: Int32Array;
  readonly columns: Int32Array;
  readonly values: Float64Array;
}

export interface Vectorizer {
  readonly features: number;
  /** Of its terms, each with its inverse document frequency; of hashed ones the number in place of the name. */
  readonly bytes: number;
  rows(texts: readonly Input[]): SparseRows;
}

const EDGE = '|';

/** Bigrams are rarer and less reliable than words; chosen on validation texts of WordNet. */
const BIGRAM_WEIGHT = 0.6;

const wordsOf = (text: string): readonly string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

/** Stands in front of the terms of a second text: what it says tells other things than the same words in the first. */
const SECOND = '>';

/** Words and pairs of neighbours, the edges of the text counted as neighbours: a definition's first words tell most. */
const countTerms = (text: string, mark: string, counts: Map<string, number>): void => {
  const count = (term: string): void => void counts.set(mark + term, (counts.get(mark + term) ?? 0) + 1);
  let previous = EDGE;
  for (const word of wordsOf(text)) {
    count(word);
    count(`${previous} ${word}`);
    previous = word;
  }
  if (previous !== EDGE) count(`${previous} ${EDGE}`);
};

const termsOf = (input: TextInput): ReadonlyMap<string, number> => {
  const { text, pair = '' } = typeof input === 'string' ? { text: input } : input;
  const counts = new Map<string, number>();
  countTerms(text, '', counts);
  countTerms(pair, SECOND, counts);
  return counts;
};

/** Beyond so many different terms, two may share a column: a table of all of them would take gigabytes. */
const MOST_TERMS = 2 ** 20;

/** 32 bits that depend on nothing but the term (FNV-1a, Fowler, Noll and Vo). */
const hashOf = (term: string): number => {
  let hash = 0x811c9dc5;
  for (let i = 0; i < term.length; i++) hash = Math.imul(hash ^ term.charCodeAt(i), 0x01000193);
  return hash >>> 0;
};

/** Terms by name, or by a number that some of them share (Weinberger et al. 2009, "Feature hashing"). */
type Key = string | number;

/** `most` is how many numbers there are; undefined where terms go by their names. */
const keyOf = (term: string, most: number | undefined): Key => (most === undefined ? term : hashOf(term) % most);

interface Term {
  readonly column: number;
  /** Inverse document frequency times the weight of its kind. */
  readonly weight: number;
}

interface Terms {
  readonly byKey: ReadonlyMap<Key, Term>;
  /** How many numbers hashed terms share; undefined where each goes by its name. */
  readonly hashed: number | undefined;
}

/** How many texts have each term; undefined where there are more terms than may be named. */
const countDocuments = (
  texts: readonly TextInput[],
  most: number,
  hashed?: number,
): ReadonlyMap<Key, number> | undefined => {
  const documents = new Map<Key, number>();
  for (const text of texts) {
    for (const term of termsOf(text).keys()) {
      const key = keyOf(term, hashed);
      documents.set(key, (documents.get(key) ?? 0) + 1);
    }
    if (documents.size > most) return undefined;
  }
  return documents;
};

const learnTerms = (texts: readonly TextInput[], most: number): Terms => {
  const named = countDocuments(texts, most);
  const documents = named ?? countDocuments(texts, most, most) ?? new Map<Key, number>();
  const byKey = new Map<Key, Term>();
  for (const [key, count] of documents) {
    const inverse = Math.log((1 + texts.length) / (1 + count)) + 1;
    byKey.set(key, { column: byKey.size, weight: inverse });
  }
  return { byKey, hashed: named === undefined ? most : undefined };
};

const bytesOf = ({ byKey }: Terms): number => {
  const names = [...byKey.keys()].filter((key) => typeof key === 'string');
  return namedBytes(names) + 2 * BYTES_A_NUMBER * (byKey.size - names.length);
};

const weightOf = (term: string): number => (term.includes(' ') ? BIGRAM_WEIGHT : 1);

/** TF-IDF over uni- and bigrams with logarithmic counts, learned from training texts only (Salton and Buckley 1988). */
export const learnVectorizer = (training: readonly TextInput[], most = MOST_TERMS): Vectorizer => {
  const terms = learnTerms(training, most);
  const { byKey, hashed } = terms;
  const rows = (texts: readonly TextInput[]): SparseRows => {
    const offsets = new Int32Array(texts.length + 1);
    const columns: number[] = [];
    const values: number[] = [];
    for (const [i, text] of texts.entries()) {
      let squares = 0;
      for (const [name, count] of termsOf(text)) {
        const term = byKey.get(keyOf(name, hashed));
        if (term === undefined) continue;
        const value = (1 + Math.log(count)) * (term.weight * weightOf(name));
        columns.push(term.column);
        values.push(value);
        squares += value * value;
      }
      const norm = Math.sqrt(squares);
      for (let at = offsets[i] ?? 0; at < values.length; at++) values[at] = (values[at] ?? 0) / norm;
      offsets[i + 1] = values.length;
    }
    return { offsets, columns: Int32Array.from(columns), values: Float64Array.from(values) };
  };
  return { features: byKey.size, bytes: bytesOf(terms), rows };
};
