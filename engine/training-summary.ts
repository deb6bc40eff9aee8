import { elementCount } from '../graph/tensor.ts';
import type { TrainingSummary } from '../ground/reported/training.ts';
import { dataTask } from '../ground/tasks.ts';
import type { TrainRequest } from './train-request.ts';
import type { TrainingPlan } from './training-plan.ts';
import type { Trained, TrainingProgress } from './training-state.ts';

/** What training leaves for the report. */
export const summaryOf = (
  { task, options }: TrainRequest,
  plan: TrainingPlan,
  { step, validated, curve, best, tokens, seconds, scale }: TrainingProgress,
  trained: readonly Trained[],
): TrainingSummary => ({
  steps: step,
  epochs: validated,
  tokensPerSecond: seconds === 0 ? 0 : tokens / seconds,
  paddingFraction: plan.padding(0),
  metric: dataTask(task.name).metric.name,
  curve,
  best: best === null ? null : { epoch: best.epoch, score: best.score },
  trainedParameters: trained.reduce((sum, { auxiliary, dims }) => sum + (auxiliary ? 0 : elementCount(dims)), 0),
  seconds,
  ...(options.precision === 'fp16' ? { leftOut: scale.leftOut } : {}),
});
