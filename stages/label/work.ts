import type { Dataset, Example } from '../../data/dataset.ts';
import { readDatasetArtifact } from '../../data/files.ts';
import type { Answers } from '../../engine/answers.ts';
import { textNumber } from '../../engine/encoded.ts';
import { predict } from '../../engine/predict.ts';
import { type Task, taskOf } from '../../engine/tasks/index.ts';
import { digestOfJson } from '../../ground/digest.ts';
import { stageError } from '../../ground/errors.ts';
import { dataTask, modelTask } from '../../ground/tasks.ts';
import { readModelArtifact } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { batchingOf } from '../../models/quantized.ts';
import type { StageContext, StageRun } from '../stage.ts';
import { calledIn, longest } from '../train/examples.ts';
import type { Labeller } from './copy.ts';
import type { Config, Reported } from './index.ts';
import { teacherProblem } from './index.ts';
import { writeTeacherOutputs } from './outputs.ts';

/** Every text that a student is trained on, and those that its epochs, or its teachers, are chosen by. */
const taughtTexts = ({ task, train, unlabelled, validation }: Dataset, config: Config): readonly Example[] =>
  dataTask(task).truth === 'teacher' || config.validation === true
    ? [...train, ...unlabelled, ...validation]
    : [...train, ...unlabelled];

const expectTeacher = ({ info }: Model, { task }: Dataset): void => {
  const problem = teacherProblem(info.task, task);
  if (problem !== undefined) throw stageError(problem);
};

interface Texts {
  readonly model: Model;
  readonly dataset: Dataset;
  readonly task: Task;
}

/** The teacher, or a copy of it that says the same. */
const labeller = async (
  { model, dataset, task }: Texts,
  config: Config,
  ctx: StageContext,
): Promise<Labeller & { readonly found: Pick<Reported, 'int8' | 'notes'> }> => {
  const engine = await ctx.engine();
  if (config.with === undefined) return { model, engine, found: {} };
  const { labellerOf, comparedTexts } = await import('./copy.ts');
  const texts = comparedTexts(dataset.validation, [...dataset.train, ...dataset.unlabelled]);
  const examples = await task.encode(model, texts, longest(dataset, model), ctx.signal);
  return await labellerOf({ model, engine, task, examples }, ctx);
};

/** Where the answers about each text begin, which may be several sequences. */
const startsOfTexts = ({ examples, starts }: Answers, texts: number): Int32Array => {
  const begins = new Int32Array(texts + 1).fill(starts.at(-1) ?? 0);
  for (let sequence = examples.length - 1; sequence >= 0; sequence--)
    begins[textNumber(examples, sequence)] = starts[sequence] ?? 0;
  return begins;
};

export const run: StageRun<Config, Reported> = async (inputs, config, ctx) => {
  const { model: modelInput, dataset: datasetInput } = inputs;
  if (modelInput === undefined || datasetInput === undefined) throw new Error('label needs a model and a dataset');
  const model = await readModelArtifact(modelInput.path);
  const dataset = await readDatasetArtifact(datasetInput.path);
  expectTeacher(model, dataset);
  const examples = taughtTexts(dataset, config);
  const task = taskOf(dataset.task);
  const { found, ...who } = await labeller({ model, dataset, task }, config, ctx);
  const { rows, answers } = await predict({
    ...{ ...who, task },
    examples: await task.encode(model, examples, longest(dataset, model), ctx.signal),
    threads: ctx.threads,
    batching: batchingOf(who.model.graph),
    keep: config.keep ?? 'largest',
    ...(config.temperature === undefined ? {} : { temperature: config.temperature }),
    called: calledIn('training', examples),
    signal: ctx.signal,
    checkpoints: ctx.checkpoints,
    onProgress: (done, total) => ctx.progress({ done, total, unit: 'texts' }),
  });
  const folder = await ctx.output('teacher-outputs', 'teacher-outputs');
  await writeTeacherOutputs(folder, {
    ...{ classes: model.info.labels, ids: Int32Array.from(examples, ({ id }) => id), rows },
    starts: startsOfTexts(answers, examples.length),
    ...(config.keep === undefined ? {} : { tokens: digestOfJson(model.tokenizer), temperature: config.temperature }),
  });
  return {
    texts: examples.length,
    ...(modelTask(task.name).about === 'word' ? { words: answers.starts.at(-1) ?? 0 } : {}),
    ...found,
  };
};
