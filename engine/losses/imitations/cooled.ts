import { UNNAMED } from '../../../data/rows.ts';
import type { Value } from '../../../graph/graph.ts';
import type { Answered, ImitationScope } from '../imitation.ts';
import { divergence, rowSums } from '../nodes.ts';
import type { Scheduled } from '../scheduled.ts';

/** Answers over a temperature; the largest that a teacher told are so already. */
export const cooled = (scope: ImitationScope, temperature: Scheduled): Answered => {
  const { builder } = scope;
  const { student, teacher, weights, restApart } = scope.answers();
  const cold = scope.number('cold', temperature, (t) => 1 / t);
  const over = (x: Value): Value => builder.op('Mul', [x, cold]);
  return { student: over(student), teacher: restApart ? teacher : over(teacher), weights, restApart };
};

/** A loss over a temperature, as large as it would be without. */
export const heated = (scope: ImitationScope, temperature: Scheduled, loss: Value): Value =>
  scope.builder.op('Mul', [loss, scope.number('heat', temperature, (t) => t ** 2)]);

/** Whether each number of an answer is a question of its own. */
export const separate = ({ answer }: ImitationScope): boolean => answer === 'set';

/** What is left over is no less than the rounding of a sum. */
const LEAST_REST = 1e-7;

/**
 * KL between two distributions over some classes K and one more outcome, that none of them is true, by the row:
 * sum_K a_c (log a_c - log b_c) + a_0 (log a_0 - log b_0) with a_0 = 1 - sum_K a_c. The teacher names K; over all classes there
 * is nothing left, and it is the divergence itself.
 */
const withRest = ({ builder }: ImitationScope, { teacher, student }: Answered, from: 'teacher' | 'student'): Value => {
  const named = builder.op('Cast', [builder.op('Greater', [teacher, builder.scalar('float32', UNNAMED / 2)])], {
    to: 1,
  });
  const one = builder.scalar('float32', 1);
  const sides = {
    teacher: { p: builder.op('Exp', [teacher]), log: teacher },
    student: {
      p: builder.op('Mul', [builder.op('Softmax', [student], { axis: -1 }), named]),
      log: builder.op('LogSoftmax', [student], { axis: -1 }),
    },
  };
  const restOf = ({ p }: { readonly p: Value }): Value =>
    builder.op('Max', [builder.op('Sub', [one, rowSums(builder, p)]), builder.scalar('float32', LEAST_REST)]);
  const [a, b] = from === 'teacher' ? [sides.teacher, sides.student] : [sides.student, sides.teacher];
  const [left, other] = [restOf(a), restOf(b)];
  const largest = rowSums(builder, builder.op('Mul', [a.p, builder.op('Sub', [a.log, b.log])]));
  const difference = builder.op('Sub', [builder.op('Log', [left]), builder.op('Log', [other])]);
  return builder.op('Add', [largest, builder.op('Mul', [left, difference])]);
};

/** KL of the probabilities of one from those of the other, by the row: of all classes, or of the largest and the rest. */
export const rowsOf = (scope: ImitationScope, answered: Answered, from: 'teacher' | 'student'): Value => {
  const { teacher, student, restApart } = answered;
  if (restApart) return withRest(scope, answered, from);
  const [wanted, given] = from === 'teacher' ? [teacher, student] : [student, teacher];
  return divergence(scope.builder, wanted, given);
};
