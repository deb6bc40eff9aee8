import type { TextInput } from '../../data/tokenize.ts';

/** Sparse rows, one a text, of length 1 (compressed sparse row format). */
export interface SparseRows {
  /** Row i holds entries offsets[i] to offsets[i + 1] - 1. */
  readonly offsets: Int32Array;
  readonly columns: Int32Array;
  readonly values: Float64Array;
}

export interface Vectorizer {
  readonly features: number;
  rows(texts: readonly TextInput[]): SparseRows;
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

interface Term {
  readonly column: number;
  /** Inverse document frequency times the weight of its kind. */
  readonly weight: number;
}

const learnTerms = (texts: readonly TextInput[]): ReadonlyMap<string, Term> => {
  const documents = new Map<string, number>();
  for (const text of texts)
    for (const term of termsOf(text).keys()) documents.set(term, (documents.get(term) ?? 0) + 1);
  const terms = new Map<string, Term>();
  for (const [term, count] of documents) {
    const inverse = Math.log((1 + texts.length) / (1 + count)) + 1;
    terms.set(term, { column: terms.size, weight: inverse * (term.includes(' ') ? BIGRAM_WEIGHT : 1) });
  }
  return terms;
};

/** TF-IDF over uni- and bigrams with logarithmic counts, learned from training texts only (Salton and Buckley 1988). */
export const learnVectorizer = (training: readonly TextInput[]): Vectorizer => {
  const terms = learnTerms(training);
  const rows = (texts: readonly TextInput[]): SparseRows => {
    const offsets = new Int32Array(texts.length + 1);
    const columns: number[] = [];
    const values: number[] = [];
    for (const [i, text] of texts.entries()) {
      let squares = 0;
      for (const [name, count] of termsOf(text)) {
        const term = terms.get(name);
        if (term === undefined) continue;
        const value = (1 + Math.log(count)) * term.weight;
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
  return { features: terms.size, rows };
};
