import { type Dataset, tagsOf } from '../data/dataset.ts';
import { type Evidence, evidenceOf } from '../data/evidence.ts';
import { readDatasetArtifact } from '../data/files.ts';
import { type Predictions, readPredictions } from '../data/predictions.ts';
import { OLD_VECTORS, readOldVectors } from '../data/predictions-before.ts';
import type { Effect } from '../data/statistics/effects.ts';
import { metricEffect } from '../data/statistics/metrics.ts';
import type { InputArtifact } from '../ground/artifact.ts';
import { type DatasetTask, type DataTask, dataTask } from '../ground/tasks.ts';
import type { StepSummary } from './record.ts';

/** What a model made of the test split. */
export interface Judged extends Evidence {
  readonly task: DataTask;
  readonly ids: Int32Array;
  /** The text, or the word in its sentence, by example id; empty where it is not known. */
  textOf(id: number): string;
}

/** Judged stages, and the first of them: the one that others are compared with. */
export interface JudgedStages {
  readonly scores: ReadonlyMap<string, Judged | null>;
  readonly reference: string | null;
}

/** Words shown on both sides of one that is talked about. */
const CONTEXT = 6;

const wordInSentence = (words: readonly string[], at: number): string => {
  const [start, end] = [Math.max(0, at - CONTEXT), Math.min(words.length, at + CONTEXT + 1)];
  const shown = words.slice(start, end).map((word, i) => (start + i === at ? `[${word}]` : word));
  return `${start > 0 ? '… ' : ''}${shown.join(' ')}${end < words.length ? ' …' : ''}`;
};

/** Words of a tagged split are numbered one after the other. */
const wordsOf = ({ test }: Dataset): ((id: number) => string) => {
  const places = test.flatMap((example, sentence) => tagsOf(example).map((_, at) => [sentence, at] as const));
  return (id) => {
    const [sentence = 0, at = 0] = places[id] ?? [];
    return wordInSentence(test[sentence]?.text.split(' ') ?? [], at);
  };
};

/** What the examples of the test split were, for people. */
export const exampleTexts = async (dataset: InputArtifact | undefined): Promise<Judged['textOf']> => {
  if (dataset === undefined) return () => '';
  return textsOf(await readDatasetArtifact(dataset.path));
};

/** The examples of a dataset's test split. */
export const textsOf = (read: Dataset): Judged['textOf'] => {
  if (dataTask(read.task).about === 'word') return wordsOf(read);
  const texts = new Map(read.test.map(({ id, text, pair }) => [id, pair === undefined ? text : `${text} | ${pair}`]));
  return (id) => texts.get(id) ?? '';
};

/** What a model answered; null where it was asked nothing. */
const readAnswers = async (output: InputArtifact | undefined): Promise<Predictions | null> => {
  if (output === undefined) return null;
  const read = OLD_VECTORS in output.artifact.files ? readOldVectors : readPredictions;
  const predictions = await read(output.path);
  return predictions.ids.length === 0 ? null : predictions;
};

/** Predictions of stages in their order; those that cannot be compared with the reference's are null. */
export const judgeStages = async (
  stages: readonly { readonly id: string; readonly evaluation: StepSummary | null }[],
  name: DatasetTask,
  classes: readonly string[],
  textOf: Judged['textOf'],
): Promise<JudgedStages> => {
  const task = dataTask(name);
  const scores = new Map<string, Judged | null>();
  let reference: { readonly id: string; readonly predictions: Predictions } | undefined;
  for (const { id, evaluation } of stages) {
    const predictions = await readAnswers(evaluation?.outputs.predictions);
    if (predictions !== null) reference ??= { id, predictions };
    const evidence =
      predictions === null || reference === undefined
        ? null
        : evidenceOf({ task, classes }, predictions, reference.predictions);
    scores.set(
      id,
      evidence === null || predictions === null ? null : { ...evidence, task, ids: predictions.ids, textOf },
    );
  }
  return { scores, reference: reference?.id ?? null };
};

const same = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.prototype.every.call(a, (id: number, i: number) => id === b[i]);

const noGroups = new Int32Array();

/** Whether two models answered the same questions: of the same texts as many, which models of other tokens may not. */
export const isPaired = (a: Judged, b: Judged): boolean =>
  a.task.name === b.task.name && same(a.ids, b.ids) && same(a.judged.groups ?? noGroups, b.judged.groups ?? noGroups);

/** The score of one model minus that of another on the same examples; null where they were judged differently. */
export const judgedEffect = (model: Judged, other: Judged): Effect | null =>
  isPaired(model, other) ? metricEffect(model.task.metric, model.judged, other.judged) : null;
