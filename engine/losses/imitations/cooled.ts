import type { Value } from '../../../graph/graph.ts';
import type { Answered, ImitationScope } from '../imitation.ts';
import type { Scheduled } from '../scheduled.ts';

/** Answers over a temperature. */
export const cooled = (scope: ImitationScope, temperature: Scheduled): Answered => {
  const { builder } = scope;
  const { student, teacher, weights } = scope.answers();
  const cold = scope.number('cold', temperature, (t) => 1 / t);
  return { student: builder.op('Mul', [student, cold]), teacher: builder.op('Mul', [teacher, cold]), weights };
};

/** A loss over a temperature, as large as it would be without. */
export const heated = (scope: ImitationScope, temperature: Scheduled, loss: Value): Value =>
  scope.builder.op('Mul', [loss, scope.number('heat', temperature, (t) => t ** 2)]);

/** Whether each number of an answer is a question of its own. */
export const separate = ({ answer }: ImitationScope): boolean => answer === 'set';
