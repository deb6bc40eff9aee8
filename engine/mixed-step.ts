import { inFloat16 } from '../graph/float16.ts';
import { stageError } from '../ground/errors.ts';
import type { Engine } from './engine.ts';
import { leavesLast } from './order.ts';
import { noFloat16 } from './precision.ts';
import type { TrainingStep } from './step.ts';

/** A step as an engine computes it in float16. Names, inputs and outputs are those of the step in float32. */
export const mixedStep = (step: TrainingStep, { target: { name, float16, facts } }: Engine): TrainingStep => {
  if (float16 === undefined) throw stageError(noFloat16(name, facts.adapter ?? 'this machine'));
  return { ...step, graph: leavesLast(inFloat16(step.graph, float16)) };
};
