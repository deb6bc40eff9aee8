import type { Dataset } from '../data/dataset.ts';
import { readDatasetArtifact } from '../data/files.ts';
import { type Predictions, readPredictions } from '../data/predictions.ts';
import { OLD_VECTORS, readOldVectors } from '../data/predictions-before.ts';
import type { InputArtifact } from '../ground/artifact.ts';
import type { StepSummary } from './record.ts';
import type { Effect } from './statistics/effects.ts';
import { differenceEffect } from './statistics/pairs.ts';
import { type Scored, scoredOf } from './statistics/scored.ts';
import { cosinesTo, meanEffect, pairAgreement, type Vectors } from './statistics/vectors.ts';

/** A model's choices of classes, and what they were about. */
export interface JudgedClasses {
  readonly kind: 'classes';
  readonly scored: Scored;
  readonly ids: Int32Array;
  /** The text, or the word in its sentence, by example id; empty where it is not known. */
  textOf(id: number): string;
}

/** How near a model's vectors are to those of the reference. */
export interface JudgedVectors {
  readonly kind: 'vectors';
  readonly cosines: Float64Array;
  readonly spearman: number | undefined;
  readonly ids: Int32Array;
}

/** What a model made of the test split. */
export type Judged = JudgedClasses | JudgedVectors;

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
  const places = test.flatMap(({ tags = [] }, sentence) => tags.map((_, at) => [sentence, at] as const));
  return (id) => {
    const [sentence = 0, at = 0] = places[id] ?? [];
    return wordInSentence(test[sentence]?.text.split(' ') ?? [], at);
  };
};

/** What the examples of the test split were, for people. */
export const exampleTexts = async (dataset: InputArtifact | undefined): Promise<JudgedClasses['textOf']> => {
  if (dataset === undefined) return () => '';
  const read = await readDatasetArtifact(dataset.path);
  if (read.task === 'token-classification') return wordsOf(read);
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

const vectorsOf = (reference: Vectors, model: Vectors): Judged | null =>
  reference.width === model.width
    ? {
        kind: 'vectors',
        cosines: cosinesTo(reference, model),
        spearman: pairAgreement(reference, model),
        ids: model.ids,
      }
    : null;

/** Predictions of stages in their order; vectors of another width than the reference's cannot be compared: null. */
export const judgeStages = async (
  stages: readonly { readonly id: string; readonly evaluation: StepSummary | null }[],
  textOf: JudgedClasses['textOf'],
): Promise<JudgedStages> => {
  const scores = new Map<string, Judged | null>();
  let reference: { readonly id: string; readonly vectors: Vectors | null } | undefined;
  for (const { id, evaluation } of stages) {
    const predictions = await readAnswers(evaluation?.outputs.predictions);
    if (predictions === null) {
      scores.set(id, null);
      continue;
    }
    const { ids, rows, targets } = predictions;
    if (targets !== undefined) {
      reference ??= { id, vectors: null };
      scores.set(id, { kind: 'classes', scored: scoredOf(predictions), ids, textOf });
      continue;
    }
    const vectors = { ids, width: rows.width, values: rows.data };
    reference ??= { id, vectors };
    scores.set(id, reference.vectors === null ? null : vectorsOf(reference.vectors, vectors));
  }
  return { scores, reference: reference?.id ?? null };
};

/** Quality of one model minus that of another on the same examples; null where they were judged differently. */
export const judgedEffect = (model: Judged, other: Judged): Effect | null => {
  if (model.kind === 'classes') return other.kind === 'classes' ? differenceEffect(model.scored, other.scored) : null;
  return other.kind === 'vectors' ? meanEffect(model.cosines, other.cosines) : null;
};
