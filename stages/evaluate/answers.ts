import type { Targets } from '../../data/answer-targets.ts';
import type { Dataset, Example } from '../../data/dataset.ts';
import { writePredictions } from '../../data/predictions.ts';
import { noRows } from '../../data/rows.ts';
import { type Answers, answerCount } from '../../engine/answers.ts';
import type { Encoded } from '../../engine/encoded.ts';
import { predict } from '../../engine/predict.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import type { Model } from '../../models/model.ts';
import { batchingOf } from '../../models/quantized.ts';
import type { StageContext } from '../stage.ts';
import { calledIn } from '../train/examples.ts';

export interface Evaluated {
  readonly model: Model;
  readonly dataset: Dataset;
  /** The test split as the model reads it, and what its answers should be. */
  readonly encoded: readonly Encoded[];
  readonly targets: Targets;
}

const nothing = { split: 'test', ids: new Int32Array() } as const;

/** Text of each answer about a word or token; they are numbered one after the other. */
const groupsOf = (examples: readonly Example[], { starts }: Answers): Int32Array => {
  const groups = new Int32Array(starts.at(-1) ?? 0);
  examples.forEach(({ id }, text) => {
    groups.fill(id, starts[text], starts[text + 1]);
  });
  return groups;
};

/**
 * Writes what a model says about the test split, where it does what the data is for: choices of classes by text or by
 * word, or vectors.
 */
export const writeAnswers = async (
  folder: string,
  { model, dataset, encoded, targets }: Evaluated,
  ctx: StageContext,
): Promise<void> => {
  const classes = model.info.labels.length;
  if (model.info.task !== dataset.task) {
    await writePredictions(folder, { ...nothing, rows: noRows(classes) });
    return;
  }
  const task = taskOf(dataset.task);
  const { thresholds } = model.info.processor;
  const { rows, answers } = await predict({
    ...{ model, task, examples: encoded, targets },
    engine: await ctx.engine(),
    threads: ctx.threads,
    batching: batchingOf(model.graph),
    keep: 'largest',
    called: calledIn('test', dataset.test),
    signal: ctx.signal,
    onProgress: (done) => ctx.progress({ done, total: encoded.length, unit: 'texts' }),
  });
  const ids = Int32Array.from(dataset.test, ({ id }) => id);
  const numbered = Int32Array.from({ length: answerCount(answers) }, (_, answer) => answer);
  await writePredictions(folder, {
    ...{ split: 'test', rows },
    ...(task.targets === undefined ? {} : { targets }),
    ...(thresholds === undefined ? {} : { thresholds }),
    ...(task.unit === 'texts' ? { ids } : { ids: numbered, groups: groupsOf(dataset.test, answers) }),
  });
};
