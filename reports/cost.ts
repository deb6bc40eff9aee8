import type { RunSummary, StepSummary } from './record.ts';
import type { Report } from './report.ts';

/** What a step cost this run: nothing where it was reused. */
const now = (step: StepSummary | null): number => (step === null || step.cached ? 0 : step.seconds);

const sum = (steps: readonly (StepSummary | null)[]): number => steps.reduce((total, step) => total + now(step), 0);

const isDownload = ({ metrics }: StepSummary): boolean => metrics.hub !== undefined;

/** Where the wall-clock time of a run went. Labelling by a teacher counts as training: it is done for it. */
export const costOf = (run: RunSummary): Report['cost'] => {
  const learns = ({ step }: { readonly step: StepSummary | null }): boolean => step?.metrics.training !== undefined;
  const training =
    sum(run.stages.filter(learns).map(({ step }) => step)) + sum(run.helpers.filter((step) => !isDownload(step)));
  const downloads = sum(run.helpers.filter(isDownload));
  const evaluation = sum(run.stages.map(({ evaluation: step }) => step));
  const measurement = now(run.measurement) + now(run.profile);
  const other =
    sum(run.stages.filter((stage) => !learns(stage)).map(({ step }) => step)) +
    now(run.dataset) +
    now(run.baseline) +
    downloads;
  const overhead = Math.max(0, run.seconds - training - evaluation - measurement - other);
  return { training, evaluation, measurement, other, overhead };
};
