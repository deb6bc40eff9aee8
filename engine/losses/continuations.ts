import { targetOf } from '../../data/answer-targets.ts';
import { isUnread, largestOf, rowOf } from '../../data/rows.ts';
import { tagNamed } from '../../ground/metrics/entities.ts';
import type { Placed } from '../answers.ts';
import type { HostTensor } from '../engine.ts';
import { answerIds, answerNumbers, type StepBatch } from '../step-batch.ts';
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

/** Where the tokens stand that go on with words, each with the number of its word's answer. */
const continuedIn = ({ numbers, rows, batch: { rows: texts, length }, examples }: StepBatch): Placed => {
  const [answers, positions]: [number[], number[]] = [[], []];
  for (let i = 0; i < numbers.length; i++) {
    const first = rows[i] as number;
    const start = first - (first % length);
    const continued = examples[texts[start / length] as number]?.byRole.continued;
    for (let at = first + 1; continued?.[at - start] === 1; at++) {
      answers.push(numbers[i] as number);
      positions.push(at);
    }
  }
  return { numbers: Int32Array.from(answers), rows: Int32Array.from(positions), dims: [texts.length, length] };
};

/**
 * Cross-entropy of the tokens with which words go on, each with the class that goes on with its word's: what clients show
 * that put entities together from all tokens. It is counted as the words are, so that it adds to their mean.
 */
export const continuations = ({ classes = [] }: Pick<LossSettings, 'classes'>): Loss => {
  const next = continuedBy(classes);
  const labels = (batch: StepBatch): HostTensor =>
    answerIds(continuedIn(batch), (answer) => next[classOf(batch, answer)] ?? 0);
  const weights = (batch: StepBatch): HostTensor =>
    answerNumbers(continuedIn(batch), (answer) => (classOf(batch, answer) < 0 ? 0 : 1 / batch.size.answers));
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
