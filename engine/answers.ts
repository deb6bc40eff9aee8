import type { Batch } from '../data/batches.ts';
import type { EncodedText } from '../data/tokenize.ts';

/** Numbers the answers that a model gives about texts: one about each, or one about each of its words. */
export interface Answers {
  readonly texts: readonly EncodedText[];
  /** Answers about text t are those from starts[t] up to starts[t + 1]. */
  readonly starts: Int32Array;
}

export const answersAbout = (texts: readonly EncodedText[]): Answers => {
  const starts = new Int32Array(texts.length + 1);
  texts.forEach(({ words }, t) => {
    starts[t + 1] = (starts[t] ?? 0) + (words?.length ?? 1);
  });
  return { texts, starts };
};

export const answerCount = ({ starts }: Answers): number => starts.at(-1) ?? 0;

/** Answers about words that were cut off with the end of their text: no model says anything about them. */
export const cutAnswers = ({ texts }: Answers): number =>
  texts.reduce((sum, { words }) => sum + (words?.filter((place) => place < 0).length ?? 0), 0);

/**
 * Where the answers about a batch stand in the model's output, whose rows are texts (batch, width) or tokens
 * (batch, sequence, width).
 */
export const forEachAnswer = (
  { texts, starts }: Answers,
  { rows, length }: Batch,
  see: (answer: number, row: number) => void,
): void => {
  rows.forEach((text, i) => {
    const first = starts[text] ?? 0;
    const { words } = texts[text] ?? {};
    if (words === undefined) see(first, i);
    else {
      words.forEach((place, word) => {
        if (place >= 0) see(first + word, i * length + place);
      });
    }
  });
};
