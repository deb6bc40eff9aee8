import type { Targets } from '../../data/answer-targets.ts';
import type { Dataset, Example } from '../../data/dataset.ts';
import { type Predictions, writePredictions } from '../../data/predictions.ts';
import { noRows } from '../../data/rows.ts';
import { type Answers, answerCount } from '../../engine/answers.ts';
import { type Encoded, textNumber } from '../../engine/encoded.ts';
import { predict } from '../../engine/predict.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import { answersWholes, modelTask } from '../../ground/tasks.ts';
import type { Model } from '../../models/model.ts';
import { batchingOf } from '../../models/quantized.ts';
import type { StageContext } from '../stage.ts';
import { calledIn } from '../train/examples.ts';
import { type WrittenAnswers, writtenColumns } from './written.ts';

export interface Evaluated {
  readonly model: Model;
  readonly dataset: Dataset;
  /** The test split as the model reads it, and what its answers should be. */
  readonly encoded: readonly Encoded[];
  readonly targets: Targets;
  /** What the model answered to its texts, where models write. */
  readonly written?: WrittenAnswers | undefined;
  /** What that split is, where a stage judges by other texts than those of the test. */
  readonly split?: Predictions['split'];
}

const nothing = { split: 'test', ids: new Int32Array() } as const;

/** Text of each answer about a word or token; they are numbered one after the other. */
const groupsOf = (texts: readonly Example[], { examples, starts }: Answers): Int32Array => {
  const groups = new Int32Array(starts.at(-1) ?? 0);
  for (const sequence of examples.keys()) {
    const { id = 0 } = texts[textNumber(examples, sequence)] ?? {};
    groups.fill(id, starts[sequence], starts[sequence + 1]);
  }
  return groups;
};

/** UTF-8 bytes of each text, of a pair those of what is answered, at the first answer about it. */
const bytesOf = (texts: readonly Example[], { examples, starts }: Answers): Int32Array => {
  const bytes = new Int32Array(starts.at(-1) ?? 0);
  const met = new Set<number>();
  for (const sequence of examples.keys()) {
    const text = textNumber(examples, sequence);
    const [start = 0, end = 0] = starts.subarray(sequence, sequence + 2);
    if (met.has(text) || start === end) continue;
    met.add(text);
    const { text: prompt = '', pair = prompt } = texts[text] ?? {};
    bytes[start] = Buffer.byteLength(pair);
  }
  return bytes;
};

/** Where answers are computed, and who hears how far they are. */
export type Answering = Pick<StageContext, 'threads' | 'signal' | 'progress' | 'engine'>;

/** What a model says about the test split: choices of classes by text or by word, or vectors. */
export const answersTo = async (
  { model, dataset, encoded, targets, written, split = 'test' }: Evaluated,
  ctx: Answering,
): Promise<Predictions> => {
  const task = taskOf(dataset.task);
  const { thresholds } = model.info.processor;
  const { rows, answers } = await predict({
    ...{ model, task, examples: encoded, targets },
    engine: await ctx.engine(),
    threads: ctx.threads,
    batching: batchingOf(model.graph),
    keep: 'largest',
    called: calledIn(split, dataset.test, encoded),
    signal: ctx.signal,
    onProgress: (done) => ctx.progress({ done, total: encoded.length, unit: 'texts' }),
  });
  const ids = Int32Array.from(dataset.test, ({ id }) => id);
  const numbered = Int32Array.from({ length: answerCount(answers) }, (_, answer) => answer);
  return {
    ...{ split, rows },
    ...(task.targets === undefined ? {} : { targets }),
    ...(thresholds === undefined ? {} : { thresholds }),
    ...(answersWholes(task.name) ? { ids } : { ids: numbered, groups: groupsOf(dataset.test, answers) }),
    ...(modelTask(task.name).reads === 'before' ? { bytes: bytesOf(dataset.test, answers) } : {}),
    ...(written === undefined ? {} : { written: writtenColumns(written, dataset.test, answers) }),
  };
};

/** Writes what a model says about the test split, where it does what the data is for. */
export const writeAnswers = async (folder: string, evaluated: Evaluated, ctx: Answering): Promise<void> => {
  const { model, dataset } = evaluated;
  const asked = model.info.task === dataset.task;
  const nobody = { ...nothing, rows: noRows(model.info.labels.length) };
  await writePredictions(folder, asked ? await answersTo(evaluated, ctx) : nobody);
};
