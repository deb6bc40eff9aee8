import { entityColumns } from '../ground/metrics/entities.ts';
import type { Judged } from '../ground/metrics/metric.ts';
import type { Answer, DataTask } from '../ground/tasks.ts';
import type { Predictions } from './predictions.ts';
import { isUnread, rowOf } from './rows.ts';
import { saidOf } from './sets.ts';
import {
  predictions as chosenOf,
  correctness,
  logProbabilities,
  logProbability,
  type Scored,
  scoredOf,
} from './statistics/scored.ts';
import type { Sets } from './statistics/sets.ts';
import { cosinesTo, pairCosines, type Vectors } from './statistics/vectors.ts';
import { type WrittenColumns, writtenNames } from './written.ts';

/** Answers as metrics read them. */
export interface Evidence {
  readonly judged: Judged;
  /** Pairs of texts, as this model and as the reference finds them alike; null where answers are no vectors. */
  readonly pairs: Judged | null;
  /** Choices of one class each; null where answers are something else. */
  readonly scored: Scored | null;
  /** Sets of classes; null where answers are something else. */
  readonly sets: Sets | null;
}

type Columns = Judged['columns'];

/** Columns that are made when one is asked for: of many no figure is wanted. */
const lazily = (makers: Readonly<Record<string, () => ArrayLike<number>>>): Columns => {
  const columns: Record<string, ArrayLike<number>> = {};
  for (const [name, make] of Object.entries(makers)) {
    let made: ArrayLike<number> | undefined;
    Object.defineProperty(columns, name, {
      enumerable: true,
      get: () => {
        made ??= make();
        return made;
      },
    });
  }
  return columns;
};

const confidenceOf = (scored: Scored): Float64Array =>
  Float64Array.from(chosenOf(scored), (choice, i) => Math.exp(logProbabilities(scored, i)[Math.max(0, choice)] ?? 0));

const natsOf = (scored: Scored): Float64Array =>
  Float64Array.from(scored.labels, (label, i) => -logProbability(scored, i, label));

/** What choices of tags say together, found with the first column that is asked for. */
const entitiesIn = (scored: Scored, classes: readonly string[]): Readonly<Record<string, () => ArrayLike<number>>> => {
  let made: Columns | undefined;
  const { labels: label, groups = new Int32Array(label.length) } = scored;
  const all = (): Columns => (made ??= entityColumns({ chosen: chosenOf(scored), label, groups }, classes));
  const names = ['entityHits', 'entitySaid', 'entityTrue', 'entitySaidType', 'entityTrueType'];
  return Object.fromEntries(names.map((name) => [name, () => all()[name] ?? []]));
};

/** Choices of one class each, as metrics read them; of tags that mark entities these, too. */
export const choices = (scored: Scored, tags?: readonly string[]): Evidence => ({
  judged: {
    count: scored.labels.length,
    columns: lazily({
      right: () => correctness(scored),
      nats: () => natsOf(scored),
      confidence: () => confidenceOf(scored),
      chosen: () => chosenOf(scored),
      label: () => scored.labels,
      ...(tags === undefined ? {} : entitiesIn(scored, tags)),
    }),
    groups: scored.groups,
  },
  pairs: null,
  scored,
  sets: null,
});

const columnsOf = (written: WrittenColumns) =>
  Object.fromEntries(writtenNames.map((name) => [name, () => written[name]]));

/** Choices of one token each, of which only the likeliest were kept: the true one is among them. */
const tokens = (model: Predictions): Evidence => {
  const { bytes, written } = model;
  const scored = scoredOf(model);
  return {
    judged: {
      count: scored.labels.length,
      columns: lazily({
        right: () => correctness(scored),
        nats: () => natsOf(scored),
        ...(bytes === undefined ? {} : { bytes: () => bytes }),
        ...(written === undefined ? {} : columnsOf(written)),
      }),
      groups: scored.groups,
    },
    ...{ pairs: null, scored: null, sets: null },
  };
};

/** 1 for each class that is said of a text; none of one that was never read. */
const saidSets = ({ ids, rows, thresholds }: Predictions): Float64Array => {
  const said = new Float64Array(ids.length * rows.width);
  for (let answer = 0; answer < ids.length; answer++) {
    if (!isUnread(rows, answer)) said.set(saidOf(rowOf(rows, answer), thresholds), answer * rows.width);
  }
  return said;
};

const beside = ({ ids, targets, groups }: Predictions, said: () => ArrayLike<number>): Evidence => ({
  judged: { count: ids.length, columns: lazily({ said, truth: () => targets?.data ?? [] }), groups },
  ...{ pairs: null, scored: null, sets: null },
});

const sets = (model: Predictions): Evidence => {
  const { rows, targets } = model;
  const { width: classes, data: logits } = rows;
  const said = saidSets(model);
  return { ...beside(model, () => said), sets: { classes, logits, said, truth: targets?.data ?? [] } };
};

const vectorsIn = ({ ids, rows }: Predictions): Vectors => ({ ids, width: rows.width, values: rows.data });

/** How near vectors are to those of the reference; null where these are of another width. */
const besideReference = (model: Predictions, reference: Predictions): Evidence | null => {
  const [mine, theirs] = [vectorsIn(model), vectorsIn(reference)];
  if (mine.width !== theirs.width) return null;
  const [said, truth] = [pairCosines(mine), pairCosines(theirs)];
  return {
    judged: {
      count: mine.ids.length,
      columns: lazily({ cosine: () => cosinesTo(theirs, mine) }),
      groups: model.groups,
    },
    pairs: { count: said.length, columns: { said, truth } },
    ...{ scored: null, sets: null },
  };
};

/** What was asked, and the names of the classes. */
interface Asked {
  readonly task: Pick<DataTask, 'answer' | 'truth'>;
  readonly classes: readonly string[];
}

type Judge = (model: Predictions, reference: Predictions, asked: Asked) => Evidence | null;

const judges: Readonly<Record<Answer, Judge>> = {
  choice: (model, _, { task, classes }) => choices(scoredOf(model), task.truth === 'entities' ? classes : undefined),
  token: tokens,
  set: sets,
  number: (model) => beside(model, () => model.rows.data),
  vector: besideReference,
};

/** Answers to a task, judged by what they should be or beside those of the reference; null where these do not compare. */
export const evidenceOf = (asked: Asked, model: Predictions, reference: Predictions): Evidence | null =>
  judges[asked.task.answer](model, reference, asked);
