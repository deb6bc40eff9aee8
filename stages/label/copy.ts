import { cosineOf } from '../../data/cosine.ts';
import type { Example } from '../../data/dataset.ts';
import { isUnread, largestOf, type Rows, rowOf } from '../../data/rows.ts';
import type { Encoded } from '../../engine/encoded.ts';
import type { Engine } from '../../engine/engine.ts';
import { predict } from '../../engine/predict.ts';
import type { Task } from '../../engine/tasks/index.ts';
import { isUserError } from '../../ground/errors.ts';
import { correlation } from '../../ground/metrics/correlation.ts';
import { type Answer, modelTask } from '../../ground/tasks.ts';
import type { Model } from '../../models/model.ts';
import { batchingOf } from '../../models/quantized.ts';
import { config } from '../quantize/config.ts';
import { quantizeModel } from '../quantize/work.ts';
import type { StageContext } from '../stage.ts';
import type { Reported } from './index.ts';

/** A copy labels where it says what its teacher says of this share of texts; of vectors this is the mean cosine. */
const AGREEMENT = 0.995;

/** Texts on which they are compared: of 1,000 with 5 that differ, the share is within 0.5 points (95 %). */
const COMPARED = 1000;

/** Texts that copy and teacher are compared on: those for validation first, which no training has seen. */
export const comparedTexts = (validation: readonly Example[], others: readonly Example[]): readonly Example[] => {
  const texts = [...validation, ...others];
  return [...new Map(texts.map((text) => [text.id, text])).values()].slice(0, COMPARED);
};

const signs = (numbers: Float32Array): string => numbers.reduce((text, x) => text + (x > 0 ? '+' : '-'), '');

const sum = (numbers: readonly number[]): number => numbers.reduce((all, x) => all + x, 0);
const meanOf = (one: Rows, other: Rows, rows: readonly number[], of: (a: Float32Array, b: Float32Array) => number) =>
  sum(rows.map((row) => of(rowOf(one, row), rowOf(other, row)))) / Math.max(1, rows.length);

/** How far two models say the same: a share of equal answers, of numbers their correlation, of vectors their mean cosine. */
export const agreementOf = (answer: Answer, one: Rows, other: Rows): number => {
  const rows = Array.from(one.unread.keys()).filter((row) => !isUnread(one, row) && !isUnread(other, row));
  switch (answer) {
    case 'choice':
    case 'token':
      return meanOf(one, other, rows, (a, b) => Number(largestOf(a) === largestOf(b)));
    case 'set':
      return meanOf(one, other, rows, (a, b) => Number(signs(a) === signs(b)));
    case 'vector':
      return meanOf(one, other, rows, (a, b) => cosineOf(a, 0, b, 0, a.length));
    case 'number': {
      const all = (from: Rows): readonly number[] => rows.map((row) => rowOf(from, row)[0] ?? 0);
      return correlation(all(one), all(other)) || 0;
    }
  }
};

export interface Labeller {
  readonly model: Model;
  readonly engine?: Engine | undefined;
}

export interface Asked extends Labeller {
  readonly task: Task;
  readonly examples: readonly Encoded[];
}

type Found = Pick<Reported, 'int8' | 'notes'>;

/** What is said of the texts, and how long that takes. */
const timed = async (asked: Asked, ctx: StageContext): Promise<{ readonly rows: Rows; readonly seconds: number }> => {
  const started = performance.now();
  const { rows } = await predict({
    ...asked,
    ...{ threads: ctx.threads, batching: batchingOf(asked.model.graph), signal: ctx.signal },
    onProgress: (done, total) => ctx.progress({ done, total, unit: 'texts', phase: 'comparing an INT8 copy' }),
  });
  return { rows, seconds: (performance.now() - started) / 1000 };
};

const percent = (share: number): string => (100 * share).toFixed(share > 0.9 && share < 1 ? 2 : 0);

const saidOf = ({ agreement, texts, taken, seconds, secondsFloat }: NonNullable<Reported['int8']>): string =>
  taken
    ? `labelled by an INT8 copy of its teacher, which says the same of ${percent(agreement)} % of ${texts} texts in ` +
      `${percent(seconds / secondsFloat)} % of the time`
    : `labelled by its teacher in floats: an INT8 copy says the same of ${percent(agreement)} % of ${texts} texts, ` +
      `fewer than ${percent(AGREEMENT)} %`;

/** An INT8 copy of a teacher; why there is none where it cannot be made. */
const copied = async (model: Model, { threads, signal, progress }: StageContext): Promise<Model | string> => {
  try {
    const context = { threads, signal, onProgress: progress };
    return (await quantizeModel(model, config.parse({}), undefined, context)).model;
  } catch (error) {
    if (!isUserError(error, 'stage')) throw error;
    return error.message;
  }
};

/** Who labels: the INT8 copy where it agrees with the teacher, which decides by answers and never by time, else the teacher. */
export const labellerOf = async (teacher: Asked, ctx: StageContext): Promise<Labeller & { readonly found: Found }> => {
  const copy = await copied(teacher.model, ctx);
  if (typeof copy === 'string') return { ...teacher, found: { notes: [`labelled by its teacher as it is: ${copy}`] } };
  const float = await timed(teacher, ctx);
  // Kernels of integers are the CPU's.
  const integers = { ...teacher, model: copy, engine: undefined };
  const int8 = await timed(integers, ctx);
  const agreement = agreementOf(modelTask(teacher.task.name).answer, float.rows, int8.rows);
  const taken = agreement >= AGREEMENT;
  const told = {
    ...{ agreement, texts: teacher.examples.length, taken },
    ...{ seconds: int8.seconds, secondsFloat: float.seconds },
  };
  return { ...(taken ? integers : teacher), found: { int8: told, notes: [saidOf(told)] } };
};
