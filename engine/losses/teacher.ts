import { isKnown } from '../../data/answer-targets.ts';
import { isUnread, type Rows, spreadRow } from '../../data/rows.ts';
import type { Value } from '../../graph/graph.ts';
import { answerNumbers, answerRows, type StepBatch } from '../step-batch.ts';
import { type LossSettings, rowsShape, type StepScope } from './loss.ts';

const answered = ({ teacher }: StepBatch): Rows => {
  if (teacher === undefined) throw new Error('the teacher said nothing about the training texts');
  return teacher;
};

/** Like the answers: what the teacher says of each. */
export const teacherAnswers = (scope: StepScope): Value =>
  scope.input({
    ...{ name: 'teacher_answers', dtype: 'float32', shape: scope.builder.type(scope.answers).shape },
    feed: (batch) => {
      const teacher = answered(batch);
      return answerRows(batch, teacher.width, (answer, row) => {
        if (!isUnread(teacher, answer)) spreadRow(teacher, answer, row);
      });
    },
  });

/**
 * Weight of each answer in the loss against the teacher: what the label leaves to it, all where there is no label, and nothing
 * of words that the teacher did not read, since its own tokenizer cut them off.
 */
export const teacherWeights = (scope: StepScope, { hard }: Pick<LossSettings, 'hard'>): Value =>
  scope.input({
    ...{ name: 'teacher_weights', dtype: 'float32', shape: rowsShape(scope) },
    feed: (batch) => {
      const teacher = answered(batch);
      return answerNumbers(batch, (answer) => {
        if (isUnread(teacher, answer)) return 0;
        return (isKnown(batch.targets, answer) ? 1 - hard : 1) / batch.size.answers;
      });
    },
  });
