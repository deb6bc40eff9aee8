import { targetOf } from '../../data/answer-targets.ts';
import { isUnread, largestOf, rowOf } from '../../data/rows.ts';
import { tagNamed } from '../../ground/metrics/entities.ts';
import type { HostTensor } from '../engine.ts';
import type { StepBatch } from '../step-batch.ts';
import { column, weightedCrossEntropy } from './cross-entropy.ts';
import type { Loss, LossSettings } from './loss.ts';

/** Of each class the one with which a word goes on: I- of the type behind B-. Where no name says so, the class itself. */
const continuedBy = (classes: readonly string[]): Int32Array =>
  Int32Array.from(classes, (name, c) => {
    const { mark, type } = tagNamed(name);
    const inside = mark === 'B' ? classes.indexOf(`I-${type}`) : c;
    return inside < 0 ? c : inside;
  });

/** The class of a word as it is known, else as the teacher says; -1 where nobody does. */
const classOf = ({ targets, teacher }: StepBatch, answer: number): number => {
  const known = targetOf(targets, answer);
  if (known >= 0 || teacher === undefined || isUnread(teacher, answer)) return known;
  const { kept, columns } = teacher;
  // Where only the largest were kept, they come in their order.
  return kept === undefined ? largestOf(rowOf(teacher, answer)) : (kept[answer * columns] ?? -1);
};

/** Calls `see` for each token that goes on with a word, with the number of the word's answer. */
const eachContinued = (batch: StepBatch, see: (position: number, answer: number) => void): void => {
  const { numbers, rows, batch: planned, examples } = batch;
  for (let i = 0; i < numbers.length; i++) {
    const first = rows[i] as number;
    const row = Math.floor(first / planned.length);
    const continued = examples[planned.rows[row] as number]?.byRole.continued;
    const end = (row + 1) * planned.length;
    for (let at = first + 1; at < end && continued?.[at - row * planned.length] === 1; at++)
      see(at, numbers[i] as number);
  }
};

const dimsOf = ({ batch: { rows, length } }: StepBatch): readonly number[] => [rows.length, length];

/**
 * Cross-entropy of the tokens with which words go on, each with the class that goes on with its word's: what clients show
 * that put entities together from all tokens. It is counted as the words are, so that it adds to their mean.
 */
export const continuations = ({ classes = [] }: Pick<LossSettings, 'classes'>): Loss => {
  const next = continuedBy(classes);
  const labels = (batch: StepBatch): HostTensor => {
    const dims = dimsOf(batch);
    const data = new BigInt64Array(dims.reduce((a, b) => a * b, 1));
    eachContinued(batch, (position, answer) => {
      data[position] = BigInt(Math.max(0, next[classOf(batch, answer)] ?? 0));
    });
    return { dtype: 'int64', dims, data };
  };
  const weights = (batch: StepBatch): HostTensor => {
    const dims = dimsOf(batch);
    const data = new Float32Array(dims.reduce((a, b) => a * b, 1));
    eachContinued(batch, (position, answer) => {
      data[position] = classOf(batch, answer) < 0 ? 0 : 1 / batch.size.answers;
    });
    return { dtype: 'float32', dims, data };
  };
  return {
    name: 'continuations',
    emit: (scope) =>
      weightedCrossEntropy(scope, {
        labels: column(scope, 'continued_labels', 'int64', labels),
        label: column(scope, 'continued_weights', 'float32', weights),
        others: scope.builder.scalar('float32', 0),
      }),
  };
};
