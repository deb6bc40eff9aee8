import { isKnown } from '../../data/answer-targets.ts';
import { isUnread, nameRow, type Rows, spreadRow } from '../../data/rows.ts';
import type { Value } from '../../graph/graph.ts';
import { answerName } from '../../models/signature.ts';
import { answerRows, answerWeights, type StepBatch } from '../step-batch.ts';
import { type Beside, teacherIds, teacherIn } from './beside.ts';
import { type LossSettings, rowsShape, type StepScope } from './loss.ts';
import { numberAt, type Scheduled } from './scheduled.ts';

const answered = ({ teacher }: StepBatch): Rows => {
  if (teacher === undefined) throw new Error('the teacher said nothing about the training texts');
  return teacher;
};

/** What a teacher in the step answers, in the order of the student's tokens. */
const answersIn = (scope: StepScope, teacher: Beside): Value => {
  const { builder } = scope;
  const answers = teacherIn(scope, teacher)(answerName(teacher.model.info.signature));
  if (teacher.ids === undefined) return answers;
  return builder.op('Gather', [answers, teacherIds(scope, teacher.ids)], { axis: -1 });
};

/** Like the answers: what the teacher says of each, in the step or before. */
export const teacherAnswers = (scope: StepScope, teacher?: Beside, restApart = false): Value =>
  teacher === undefined ? storedAnswers(scope, restApart ? nameRow : spreadRow) : answersIn(scope, teacher);

const storedAnswers = (scope: StepScope, write: typeof nameRow): Value =>
  scope.input({
    ...{ name: 'teacher_answers', dtype: 'float32', shape: scope.builder.type(scope.answers).shape },
    feed: (batch) => {
      const teacher = answered(batch);
      return answerRows(batch, teacher.width, (answer, row) => {
        if (!isUnread(teacher, answer)) write(teacher, answer, row);
      });
    },
  });

interface Weighing extends Pick<LossSettings, 'hard' | 'beside'> {
  /** What the loss is called that is weighed so. */
  readonly term: string;
  readonly weight: Scheduled;
}

/**
 * Weight of each answer in the loss against the teacher: what the label leaves to it, all where there is no label, and nothing
 * of words that the teacher did not read, since its own tokenizer cut them off.
 */
export const teacherWeights = (scope: StepScope, { hard, beside, term, weight }: Weighing): Value =>
  scope.input({
    ...{ name: weight === 1 ? 'teacher_weights' : `${term}/weights`, dtype: 'float32', shape: rowsShape(scope) },
    feed: (batch) => {
      const teacher = beside === undefined ? answered(batch) : undefined;
      const all = numberAt(weight, batch.done);
      return answerWeights(batch, (answer) => {
        if (teacher !== undefined && isUnread(teacher, answer)) return 0;
        return (all * (isKnown(batch.targets, answer) ? 1 - hard : 1)) / batch.size.answers;
      });
    },
  });
