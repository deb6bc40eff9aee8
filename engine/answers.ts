import type { Batch } from '../data/batches.ts';
import { answerPort, type Signature } from '../models/signature.ts';
import { type Encoded, targetLength } from './encoded.ts';

/** Numbers the answers that a model gives about examples: one about each, or one about each of its places. */
export interface Answers {
  readonly examples: readonly Encoded[];
  /** Answers about example e are those from starts[e] up to starts[e + 1]. */
  readonly starts: Int32Array;
}

export const answersAbout = (examples: readonly Encoded[]): Answers => {
  const starts = new Int32Array(examples.length + 1);
  examples.forEach(({ places }, e) => {
    starts[e + 1] = (starts[e] ?? 0) + (places?.length ?? 1);
  });
  return { examples, starts };
};

export const answerCount = ({ starts }: Answers): number => starts.at(-1) ?? 0;

const isRead = (place: number): boolean => place >= 0;

const readOf = ({ places }: Encoded): number => places?.reduce((sum, place) => sum + Number(isRead(place)), 0) ?? 1;

/** Answers about places that were cut off with the end of their text: no model says anything about them. */
export const cutAnswers = (answers: Answers): number =>
  answerCount(answers) - answers.examples.reduce((sum, example) => sum + readOf(example), 0);

/** Where the answers about a batch stand in what a model answers. */
export interface Placed {
  /** Number of each answer, and its row. */
  readonly numbers: Int32Array;
  readonly rows: Int32Array;
  /** What the rows count: examples, positions of examples, or answers. */
  readonly dims: readonly number[];
}

/** How many answers a batch is asked for. */
export const askedIn = ({ examples }: Answers, { rows }: Batch): number => {
  let count = 0;
  for (const row of rows) {
    const example = examples[row];
    if (example !== undefined) count += readOf(example);
  }
  return count;
};

/** Rows stand one after the other where the model is asked about places alone, else at them. */
const dimsOf = (signature: Signature, { rows, length }: Batch, count: number): readonly number[] => {
  const { axes } = answerPort(signature);
  if (axes.includes('answers')) return [count];
  return axes.includes('sequence') || axes.includes('target') ? [rows.length, length] : [rows.length];
};

/** Positions that the places of a batch are counted by: those of what is written, where something is. */
const positionsOf = (examples: readonly Encoded[], { rows, length }: Batch): number => {
  const isWritten = examples[rows[0] ?? 0]?.byRole.written !== undefined;
  return isWritten ? targetLength(examples, rows) : length;
};

/** Answers that a batch is asked for, in the order of its rows: those that were cut off stand nowhere. */
export const placed = (answers: Answers, given: Batch, signature: Signature): Placed => {
  const batch = { ...given, length: positionsOf(answers.examples, given) };
  const count = askedIn(answers, batch);
  const dims = dimsOf(signature, batch, count);
  const [numbers, rows] = [new Int32Array(count), new Int32Array(count)];
  const inTurn = answerPort(signature).axes.includes('answers');
  let at = 0;
  for (let i = 0; i < batch.rows.length; i++) {
    const example = batch.rows[i] as number;
    const first = answers.starts[example] as number;
    const places = answers.examples[example]?.places;
    if (places === undefined) {
      numbers[at] = first;
      rows[at++] = i;
      continue;
    }
    for (let j = 0; j < places.length; j++) {
      const place = places[j] as number;
      if (!isRead(place)) continue;
      numbers[at] = first + j;
      rows[at] = inTurn ? at : i * batch.length + place;
      at++;
    }
  }
  return { numbers, rows, dims };
};

/** The places of a batch's answers, counted over all positions of the batch. */
export const placesIn = (examples: readonly Encoded[], batch: Batch): readonly number[] => {
  const length = positionsOf(examples, batch);
  return Array.from(batch.rows).flatMap((row, i) =>
    Array.from(examples[row]?.places ?? []).flatMap((place) => (isRead(place) ? [i * length + place] : [])),
  );
};
