import type { DatasetFacts, TrainingTexts } from '../../data/files.ts';
import type { Loss } from '../../engine/losses/index.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import { stageError } from '../../ground/errors.ts';
import type { Model } from '../../models/model.ts';
import { encodeExamples } from '../train/examples.ts';
import type { Subject } from './criteria/criterion.ts';
import { type Batch, batchesOf, drawExamples } from './examples.ts';

/** What pruning needs besides the model. */
export interface PruneContext {
  /** Read only where tokens are counted, or importance is measured on texts. */
  readonly texts: TrainingTexts | undefined;
  readonly seed: number;
  readonly threads: number;
  readonly signal: AbortSignal;
  progress(progress: { done: number; total: number; unit: string; phase: string }): void;
}

/** The loss by which importance is measured: every answer weighs as much. */
const rankingLosses = ({ task }: DatasetFacts): readonly Loss[] =>
  taskOf(task).targetLosses({ hard: 1, temperature: 1, labelSmoothing: 0 });

/** Refuses what measures a loss (`asked`, as 'criterion taylor') where the data asks something else of the model. */
export const expectLoss = ({ info }: Model, asked: string, data: DatasetFacts): void => {
  const losses = rankingLosses(data);
  const [key] = asked.split(' ');
  if (info.task !== data.task || losses.length === 0) {
    const train = losses.length === 0 ? '' : 'train it first, or ';
    throw stageError(
      `${asked} measures a loss on what the data says, the model puts out ${info.task}; ` +
        `${train}choose ${key}: magnitude`,
    );
  }
  if (data.classes.join('\n') !== info.labels.join('\n')) {
    throw stageError(
      `the model tells ${info.labels.length} classes apart, the data has ${data.classes.length} others; ` +
        `${asked} needs texts of the model's own classes`,
    );
  }
};

export const textsOf = ({ texts }: PruneContext): TrainingTexts => {
  if (texts === undefined) throw new Error('counting tokens and measuring importance need texts');
  return texts;
};

/** How many labelled texts are read, and how many of them at once. */
interface Drawn {
  readonly examples: number;
  readonly atOnce?: number;
}

const drawBatches = async (
  model: Model,
  { examples, atOnce }: Drawn,
  context: PruneContext,
): Promise<readonly Batch[]> => {
  const texts = textsOf(context);
  const task = taskOf(texts.task);
  const drawn = await drawExamples(texts, examples, context.seed);
  const encoded = await encodeExamples('training', drawn, { model, task, dataset: texts }, context.signal);
  const { info } = model.info.task === task.name ? task.answering(model) : model;
  return batchesOf(encoded, info, atOnce);
};

/** Labelled batches, drawn and encoded when a criterion first asks for them. */
const batchSource = (model: Model, drawn: Drawn, context: PruneContext): (() => Promise<readonly Batch[]>) => {
  let batches: Promise<readonly Batch[]> | undefined;
  return () => {
    batches ??= drawBatches(model, drawn, context);
    return batches;
  };
};

const askedBy = ({ texts }: PruneContext): Subject['asked'] =>
  texts === undefined ? undefined : { task: taskOf(texts.task), losses: rankingLosses(texts) };

export const subjectOf = (model: Model, drawn: Drawn, context: PruneContext): Subject => ({
  ...{ graph: model.graph, model },
  asked: askedBy(context),
  batches: batchSource(model, drawn, context),
  seed: context.seed,
  threads: context.threads,
  signal: context.signal,
  progress: (done, total) => context.progress({ done, total, unit: 'batches', phase: 'measuring importance' }),
});
