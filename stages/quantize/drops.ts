import type { Dataset } from '../../data/dataset.ts';
import { evidenceOf } from '../../data/evidence.ts';
import type { Predictions } from '../../data/predictions.ts';
import { effectInterval, metricEffect } from '../../data/statistics/metrics.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import type { TrainingExamples } from '../../engine/training-options.ts';
import type { Graph } from '../../graph/graph.ts';
import { stageError } from '../../ground/errors.ts';
import type { Metric } from '../../ground/metrics/index.ts';
import { dataTask } from '../../ground/tasks.ts';
import type { Model } from '../../models/model.ts';
import { answersTo } from '../evaluate/answers.ts';

/** Texts that nothing was chosen by, and what is right about them: `dataset` has them as its test split. */
export interface HeldOut extends Pick<TrainingExamples, 'encoded' | 'targets'> {
  readonly dataset: Dataset;
  /** In messages: 'validation texts'. */
  readonly called: string;
}

/** How much worse a model is than its source by the metric of the task, in its unit, with the 95 % interval of pairs. */
export interface Drop {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

interface Asking {
  readonly threads: number;
  readonly signal: AbortSignal;
  onText(done: number, total: number): void;
}

/** What judges files by texts. */
export interface DropJudge {
  readonly metric: Metric;
  /** How many answers it judges by, and what they are about. */
  readonly answers: number;
  readonly called: string;
  /** How much worse the model is as this graph. */
  dropOf(graph: Graph): Promise<Drop>;
}

const ask = (
  model: Model,
  { dataset, encoded, targets }: HeldOut,
  { threads, signal, onText }: Asking,
): Promise<Predictions> =>
  answersTo(
    { model, dataset, encoded, targets, split: 'validation' },
    { threads, signal, engine: async () => cpuEngine, progress: ({ done, total }) => onText(done, total) },
  );

/** Judges models by pairs of answers about the same texts, as evaluations and reports judge two models: asks the source once. */
export const dropsFrom = async (source: Model, held: HeldOut, asking: Asking): Promise<DropJudge> => {
  const { dataset } = held;
  if (source.info.task !== dataset.task)
    throw stageError(
      `budget: maxDrop is judged by texts for ${dataset.task}; the model is made for ${source.info.task}`,
    );
  const task = dataTask(dataset.task);
  const { metric } = task;
  const before = await ask(source, held, asking);
  const judged = (said: Predictions) => {
    const evidence = evidenceOf({ task, classes: dataset.classes }, said, before);
    if (evidence === null) throw new Error('a model and its source answer alike');
    return evidence.judged;
  };
  const reference = judged(before);
  return {
    ...{ metric, answers: reference.count, called: held.called },
    dropOf: async (graph) => {
      const mine = judged(await ask({ ...source, graph }, held, asking));
      const { estimate, low, high } = effectInterval(metric, metricEffect(metric, mine, reference));
      return metric.better === 'higher'
        ? { estimate: 0 - estimate, low: 0 - high, high: 0 - low }
        : { estimate, low, high };
    },
  };
};
