import { stageMetrics } from '../ground/reported/stage.ts';
import type { AutomaticSummary, RunSummary, StageSummary, StepSummary } from './record.ts';
import type { Report } from './report.ts';

/** What a step cost this run: nothing where it was reused. */
const now = (step: StepSummary | null): number => (step === null || step.cached ? 0 : step.seconds);

const sum = (steps: readonly (StepSummary | null)[]): number => steps.reduce((total, step) => total + now(step), 0);

const isDownload = ({ metrics }: StepSummary): boolean => stageMetrics.parse(metrics).hub !== undefined;

const isTraining = ({ step }: StageSummary): boolean =>
  step !== null && stageMetrics.parse(step.metrics).training !== undefined;

/** Where the wall-clock time of a run went. Labelling by a teacher counts as training: it is done for it. */
export const costOf = (run: RunSummary): Report['cost'] => {
  const training =
    sum(run.stages.filter(isTraining).map(({ step }) => step)) + sum(run.helpers.filter((step) => !isDownload(step)));
  const downloads = sum(run.helpers.filter(isDownload));
  const evaluation = sum(run.stages.map(({ evaluation: step }) => step));
  const at = (place: AutomaticSummary['place']) => run.automatic.filter((step) => step.place === place);
  const measurement = sum(at('all-models'));
  const named = run.stages.filter((stage) => !isTraining(stage)).map(({ step }) => step);
  const other = sum([...named, ...at('data')]) + downloads;
  const overhead = Math.max(0, run.seconds - training - evaluation - measurement - other);
  return { training, evaluation, measurement, other, overhead };
};
