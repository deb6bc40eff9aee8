import { join } from 'node:path';
import { evidenceOf } from '../../data/evidence.ts';
import { readDatasetFacts } from '../../data/files.ts';
import { readPredictions } from '../../data/predictions.ts';
import { judgedFigure } from '../../data/statistics/metrics.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { dataTask } from '../../ground/tasks.ts';
import type { StepFigures } from '../events.ts';
import type { Output } from '../store/store.ts';

/**
 * What the answers that a step leaves come to, as the report will say it; undefined where there are none, or where only another
 * model's tell what they are worth.
 */
export const figuresOf = async (
  outputs: readonly Output[],
  inputs: Readonly<Record<string, InputArtifact>>,
): Promise<StepFigures | undefined> => {
  const answers = outputs.find(({ kind }) => kind === 'predictions');
  const data = Object.values(inputs).find(({ artifact }) => artifact.kind === 'dataset');
  if (answers === undefined || data === undefined) return undefined;
  const { task: name, classes } = await readDatasetFacts(data.path);
  const task = dataTask(name);
  if (task.truth === 'teacher') return undefined;
  const predictions = await readPredictions((file) => join(answers.folder, file));
  const judged =
    predictions.ids.length === 0 ? undefined : evidenceOf({ task, classes }, predictions, predictions)?.judged;
  if (judged === undefined) return undefined;
  const { value: score, interval } = judgedFigure(task.metric, judged);
  return Number.isFinite(score) ? { metric: task.metric.name, score, ...interval, answers: judged.count } : undefined;
};
