import type { Value } from '../../../graph/graph.ts';
import type { ImitationScope, Layer } from '../imitation.ts';
import { meanOver } from '../nodes.ts';

/** The mean squared error of each token's state over its width, (batch, sequence). */
export const squares = (scope: ImitationScope, student: Layer, teacher: Layer): Value => {
  const { builder } = scope;
  const difference = builder.op('Sub', [scope.projected(student, teacher), teacher.hidden]); // (batch, sequence, width)
  return meanOver(builder, builder.op('Mul', [difference, difference]), 2);
};
