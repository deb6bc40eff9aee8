import type { Example } from '../../data/dataset.ts';
import type { DatasetFacts, TrainingTexts } from '../../data/files.ts';
import type { Encoded } from '../../engine/encoded.ts';
import type { Loss } from '../../engine/losses/index.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import type { TrainingExamples } from '../../engine/training-options.ts';
import { stageError } from '../../ground/errors.ts';
import type { Model } from '../../models/model.ts';
import { encodeExamples } from '../train/examples.ts';
import type { BudgetFacts } from './budget/facts.ts';
import type { Subject } from './criteria/criterion.ts';
import { type Batch, batchesOf, drawExamples, drawJudging, judgingCount } from './examples.ts';

/** What pruning needs besides the model. */
export interface PruneContext {
  /** Read only where tokens are counted, or importance is measured on texts. */
  readonly texts: TrainingTexts | undefined;
  readonly seed: number;
  readonly threads: number;
  readonly signal: AbortSignal;
  /** Where a budget is asked for. */
  readonly budget?: BudgetFacts;
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
  /** Where a budget is asked for: texts that judge cuts, which importance does not see. */
  readonly budget?: { readonly texts: number } | undefined;
}

const encodedFor = (model: Model, examples: readonly Example[], context: PruneContext): Promise<TrainingExamples> => {
  const texts = textsOf(context);
  const reading = { model, task: taskOf(texts.task), dataset: texts, most: examples.length };
  return encodeExamples('training', examples, reading, context.signal);
};

const drawEncoded = async (
  model: Model,
  { examples, budget }: Drawn,
  context: PruneContext,
): Promise<TrainingExamples> => {
  const texts = textsOf(context);
  const left = budget === undefined ? examples : texts.labelled - judgingCount(texts, budget.texts);
  return encodedFor(model, await drawExamples(texts, Math.max(1, Math.min(examples, left)), context.seed), context);
};

/** Texts on which the harm of cuts is measured. */
export const judgedTexts = async (model: Model, count: number, context: PruneContext): Promise<readonly Encoded[]> => {
  const drawn = await drawJudging(textsOf(context), count, context.seed);
  return (await encodedFor(model, drawn, context)).encoded;
};

/** Makes something when it is first asked for, and keeps it. */
export const kept = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
};

/** Labelled texts, drawn and encoded when a criterion first asks for them, one by one and in batches. */
const textSource = (model: Model, drawn: Drawn, context: PruneContext): Pick<Subject, 'batches' | 'examples'> => {
  const encoded = kept(() => drawEncoded(model, drawn, context));
  const batches = async (): Promise<readonly Batch[]> => {
    const task = taskOf(textsOf(context).task);
    const { info } = model.info.task === task.name ? task.answering(model) : model;
    return batchesOf(await encoded(), info, drawn.atOnce);
  };
  return { batches: kept(batches), examples: async () => (await encoded()).encoded };
};

const askedBy = ({ texts }: PruneContext): Subject['asked'] =>
  texts === undefined ? undefined : { task: taskOf(texts.task), losses: rankingLosses(texts) };

export const subjectOf = (model: Model, drawn: Drawn, context: PruneContext): Subject => ({
  ...{ graph: model.graph, model },
  asked: askedBy(context),
  ...textSource(model, drawn, context),
  seed: context.seed,
  threads: context.threads,
  signal: context.signal,
  progress: (done, total) => context.progress({ done, total, unit: 'batches', phase: 'measuring importance' }),
});
