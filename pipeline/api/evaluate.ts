import type { Dataset } from '../../data/dataset.ts';
import { evidenceOf } from '../../data/evidence.ts';
import type { Predictions } from '../../data/predictions.ts';
import type { Rows } from '../../data/rows.ts';
import { openEngine } from '../../engine/engines/index.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import { type DatasetTask, dataTask } from '../../ground/tasks.ts';
import type { ModelInfo } from '../../models/model.ts';
import { compare } from '../../reports/compare.ts';
import { type Judged, textsOf } from '../../reports/judged.ts';
import { qualityReport } from '../../reports/quality.ts';
import { answersTo } from '../../stages/evaluate/answers.ts';
import { cutNote } from '../../stages/evaluate/cut.ts';
import { encodeExamples } from '../../stages/train/examples.ts';
import { requestError } from '../diagnostic.ts';
import { limited } from '../guard/limits.ts';
import { textWork } from '../guard/work.ts';
import { defaultThreads } from '../plan/threads.ts';
import { datasetFor, type Labelled, readLabelled } from './labelled.ts';
import { type Opened, openModel } from './open.ts';
import type { EvaluatedModel, EvaluateOptions, Evaluation, ModelProgress } from './types/models.ts';

/** What is settled for all of the models. */
interface Asking extends EvaluateOptions {
  readonly threads: number;
  readonly signal: AbortSignal;
  emit(event: ModelProgress): void;
}

/** What was said by one model, with the order of classes of the first. */
interface Said {
  readonly predictions: Predictions;
  readonly dataset: Dataset;
  readonly notes: readonly string[];
}

/** Rows of scores with their classes in another order; `to[c]` is the number that class c has there. */
const reordered = (rows: Rows, to: readonly number[]): Rows => {
  const { width, columns, data, kept } = rows;
  if (kept !== undefined) return { ...rows, kept: kept.map((c) => to[c] ?? c) };
  const moved = new Float32Array(data.length);
  for (let row = 0; row * columns < data.length; row++) {
    for (let c = 0; c < width; c++) moved[row * columns + (to[c] ?? c)] = data[row * columns + c] ?? 0;
  }
  return { ...rows, data: moved };
};

/** Where each class of a model stands among those of the first; undefined where they are equal in number and order. */
const orderOf = (path: string, labels: readonly string[], first: readonly string[]): readonly number[] | undefined => {
  const missing = first.find((label) => !labels.includes(label)) ?? labels.find((label) => !first.includes(label));
  if (missing !== undefined) {
    throw requestError(`${path}: has other classes than the first model: '${missing}' is in one of them alone`);
  }
  return labels.every((label, c) => label === first[c]) ? undefined : labels.map((label) => first.indexOf(label));
};

/** Scores, thresholds and truth in the order of the first model's classes. */
const inOrder = (predictions: Predictions, order: readonly number[] | undefined, truth: Predictions): Predictions => {
  if (order === undefined) return predictions;
  const { thresholds, rows } = predictions;
  const moved = thresholds?.map((_, c) => thresholds[order.indexOf(c)] ?? 0.5);
  return {
    ...predictions,
    rows: reordered(rows, order),
    ...(truth.targets === undefined ? {} : { targets: truth.targets }),
    ...(moved === undefined ? {} : { thresholds: moved }),
  };
};

const ask = async (path: string, { model, folder }: Opened, labelled: Labelled, options: Asking): Promise<Said> => {
  const { info } = model;
  const dataset = datasetFor(labelled, info, options.maxLength);
  const { renew } = await limited(() => textWork({ folder, model }, labelled.texts));
  const reading = { model, task: taskOf(dataset.task), dataset };
  const { encoded, targets } = await encodeExamples('test', dataset.test, reading, options.signal);
  const predictions = await answersTo(
    { model, dataset, encoded, targets },
    {
      threads: options.threads,
      signal: options.signal,
      engine: () => openEngine('cpu'),
      progress: (progress) => {
        renew();
        options.emit({ model: path, progress });
      },
    },
  );
  const cut = cutNote(encoded, dataset, info);
  return { predictions, dataset, notes: cut === undefined ? [] : [cut] };
};

const judged = (
  { predictions, dataset }: Said,
  { predictions: reference, dataset: { classes } }: Said,
): Judged | null => {
  const task = dataTask(dataset.task);
  const evidence = evidenceOf({ task, classes }, predictions, reference);
  return evidence === null ? null : { ...evidence, task, ids: predictions.ids, textOf: textsOf(dataset) };
};

const expectTask = (path: string, { task }: ModelInfo, first: DatasetTask): void => {
  if (task !== first)
    throw requestError(`${path}: is made for ${task}, the first model for ${first}: they do not compare`);
};

/** Of vectors nothing says what they should be but another model. */
const expectTeacher = (paths: readonly string[], task: DatasetTask, { data }: EvaluateOptions): void => {
  const [alone = '', ...others] = paths;
  if (dataTask(task).truth !== 'teacher' || others.length > 0) return;
  throw requestError(
    `${alone}: gives vectors, which are judged by those of another model; name the model that they should be like first: decant evaluate TEACHER ${alone} --data ${data}`,
  );
};

/** What all models are compared by. */
interface First {
  readonly path: string;
  readonly labels: readonly string[];
  readonly said: Said;
  readonly judged: Judged;
}

const evaluatedOf = (
  path: string,
  said: Said,
  first: First | undefined,
): { report: EvaluatedModel; judged: Judged } => {
  const reference = first?.said ?? said;
  const mine = judged(said, reference);
  if (mine === null) throw requestError(`${path}: its vectors are of another width than those of ${first?.path}`);
  const { classes } = reference.dataset;
  const comparison =
    first === undefined ? null : compare(mine, first.judged, { versus: first.path, role: 'reference', classes });
  return {
    judged: mine,
    report: { model: path, quality: qualityReport(mine, classes), comparison, notes: said.notes },
  };
};

/** Judges models on one file of texts, each difference from the first by pairs of answers about the same text. */
export const evaluateModels = async (
  paths: readonly string[],
  given: EvaluateOptions,
  emit: (event: ModelProgress) => void,
): Promise<Evaluation> => {
  const options = { threads: defaultThreads(), signal: new AbortController().signal, ...given, emit };
  const models: EvaluatedModel[] = [];
  let labelled: Labelled | undefined;
  let first: First | undefined;
  for (const path of paths) {
    options.signal.throwIfAborted();
    const opened = await openModel(path, options);
    const { info } = opened.model;
    labelled ??= await readLabelled(info.task, options);
    expectTeacher(paths, labelled.task, options);
    expectTask(path, info, labelled.task);
    const order = first === undefined ? undefined : orderOf(path, info.labels, first.labels);
    const own = await ask(path, opened, labelled, options);
    const said = { ...own, predictions: inOrder(own.predictions, order, first?.said.predictions ?? own.predictions) };
    const { report, judged: mine } = evaluatedOf(path, said, first);
    first ??= { path, labels: info.labels, said, judged: mine };
    models.push(report);
  }
  if (labelled === undefined) throw requestError('there is no model; name at least one');
  const { task, texts, dropped } = labelled;
  return {
    task,
    metric: dataTask(task).metric.name,
    data: { file: options.data, texts: texts.length, dropped },
    models,
  };
};
