import {
  accuracy,
  bitsPerByte,
  calibrationError,
  cosine,
  editRate,
  entityF1,
  exactMatch,
  loss,
  type Metric,
  macroF1,
  meanSquaredError,
  natsPerToken,
  pairSpearman,
  pearson,
  perplexity,
  setMacroF1,
  setMicroF1,
  spearman,
  subsetAccuracy,
} from './metrics/index.ts';

/**
 * What one answer is, with the columns that it is judged by:
 * - choice: one of some classes. right, nats (-log p of the label), confidence, chosen, label
 * - token: one of a vocabulary. right, nats
 * - set: each of some classes or not. said and truth, a column a class
 * - number: one number. said, truth
 * - vector: as many numbers as the model is wide, near the reference's or not. cosine
 */
export type Answer = 'choice' | 'token' | 'set' | 'number' | 'vector';

/** What a model can be made for. */
export interface ModelTask {
  /** In files, in YAML and in messages. */
  readonly name: string;
  /** What there is one answer about. */
  readonly about: 'text' | 'word' | 'token' | 'image';
  /**
   * What an answer is made of, where that is not all of a text: what stands before its token (before), or another text and what
   * stands before its token (source). Models of such tasks write.
   */
  readonly reads?: 'before' | 'source';
  readonly answer: Answer;
  /** The tag of the hub for such models. */
  readonly pipeline: string;
  /** What stands behind the architecture in the name of a class of transformers. */
  readonly classSuffix: string;
  /** `problem_type` of config.json, where models of several tasks share a class. */
  readonly problem?: string;
  /** What transformers calls the output. */
  readonly output: 'logits' | 'last_hidden_state';
}

/** What data can be for. */
export interface DataTask extends ModelTask {
  /** What models are chosen and compared by, and what is told besides. */
  readonly metric: Metric;
  readonly more: readonly Metric[];
  /** Where the right answers come from: a field of each example, its text, the second of two, or a teacher, which then validates, too. */
  readonly truth: 'label' | 'labels' | 'tags' | 'entities' | 'number' | 'text' | 'pair' | 'teacher';
  /**
   * Whether a teacher answers in the step itself: always, since every update meets an example in another shape, or unless the
   * largest of its scores are kept, since what it says of every token is too much to keep.
   */
  readonly teacherReadsAlong?: 'always' | 'unless kept';
  /** What stands above the table to be beaten besides the most frequent class. */
  readonly baseline: 'linear' | 'one-vs-rest' | 'lexicon' | 'ridge' | 'frequency' | 'continuation' | 'pixels' | null;
  /** As people call the metric where its name alone says too little, what is counted, and what a model is given. */
  readonly words: { readonly metric?: string; readonly examples: string; readonly inputs: string };
}

const texts = { examples: 'texts', inputs: 'texts' } as const;

/** Tasks of data, in the order in which messages list them. */
const table = [
  {
    name: 'text-classification',
    about: 'text',
    answer: 'choice',
    pipeline: 'text-classification',
    classSuffix: 'ForSequenceClassification',
    problem: 'single_label_classification',
    output: 'logits',
    metric: accuracy,
    more: [macroF1, loss, calibrationError],
    truth: 'label',
    baseline: 'linear',
    words: texts,
  },
  {
    name: 'token-classification',
    about: 'word',
    answer: 'choice',
    pipeline: 'token-classification',
    classSuffix: 'ForTokenClassification',
    output: 'logits',
    metric: accuracy,
    more: [macroF1, loss, calibrationError],
    truth: 'tags',
    baseline: 'lexicon',
    words: { metric: `word ${accuracy.name}`, examples: 'words', inputs: 'sentences' },
  },
  {
    name: 'named-entities',
    about: 'word',
    answer: 'choice',
    pipeline: 'token-classification',
    classSuffix: 'ForTokenClassification',
    output: 'logits',
    metric: entityF1,
    more: [accuracy, macroF1, loss, calibrationError],
    truth: 'entities',
    baseline: 'lexicon',
    words: { examples: 'words', inputs: 'sentences' },
  },
  {
    name: 'multi-label',
    about: 'text',
    answer: 'set',
    pipeline: 'text-classification',
    classSuffix: 'ForSequenceClassification',
    problem: 'multi_label_classification',
    output: 'logits',
    metric: setMicroF1,
    more: [setMacroF1, subsetAccuracy],
    truth: 'labels',
    baseline: 'one-vs-rest',
    words: texts,
  },
  {
    name: 'features',
    about: 'text',
    answer: 'vector',
    pipeline: 'feature-extraction',
    classSuffix: 'Model',
    output: 'last_hidden_state',
    metric: cosine,
    more: [pairSpearman],
    truth: 'teacher',
    baseline: null,
    words: texts,
  },
  {
    name: 'score',
    about: 'text',
    answer: 'number',
    pipeline: 'text-classification',
    classSuffix: 'ForSequenceClassification',
    problem: 'regression',
    output: 'logits',
    metric: spearman,
    more: [pearson, meanSquaredError],
    truth: 'number',
    baseline: 'ridge',
    words: texts,
  },
  {
    name: 'fill-mask',
    about: 'token',
    answer: 'token',
    pipeline: 'fill-mask',
    classSuffix: 'ForMaskedLM',
    output: 'logits',
    metric: natsPerToken,
    more: [perplexity, accuracy],
    truth: 'text',
    teacherReadsAlong: 'always',
    baseline: 'frequency',
    words: { examples: 'masked tokens', inputs: 'texts' },
  },
  {
    name: 'text-generation',
    about: 'token',
    reads: 'before',
    answer: 'token',
    pipeline: 'text-generation',
    classSuffix: 'ForCausalLM',
    output: 'logits',
    metric: natsPerToken,
    more: [perplexity, bitsPerByte, accuracy, exactMatch, editRate],
    truth: 'text',
    teacherReadsAlong: 'unless kept',
    baseline: 'continuation',
    words: { examples: 'tokens', inputs: 'texts' },
  },
  {
    name: 'text2text',
    about: 'token',
    reads: 'source',
    answer: 'token',
    pipeline: 'text2text-generation',
    classSuffix: 'ForConditionalGeneration',
    output: 'logits',
    metric: natsPerToken,
    more: [exactMatch, editRate, perplexity, accuracy],
    truth: 'pair',
    teacherReadsAlong: 'always',
    baseline: 'frequency',
    words: { examples: 'tokens', inputs: 'texts' },
  },
  {
    name: 'image-classification',
    about: 'image',
    answer: 'choice',
    pipeline: 'image-classification',
    classSuffix: 'ForImageClassification',
    output: 'logits',
    metric: accuracy,
    more: [macroF1, loss, calibrationError],
    truth: 'label',
    baseline: 'pixels',
    words: { examples: 'images', inputs: 'images' },
  },
] as const satisfies readonly DataTask[];

export type DatasetTask = (typeof table)[number]['name'];

/** Every task that a model can be made for: there is data for each. */
export type TaskName = DatasetTask;

const named = <T extends { readonly name: string }>(tasks: readonly T[]): readonly [T['name'], ...T['name'][]] => {
  const [first, ...rest] = tasks.map(({ name }): T['name'] => name);
  if (first === undefined) throw new Error('there is no task');
  return [first, ...rest];
};

export const datasetTasks = named<(typeof table)[number]>(table);

/** Tasks that any texts are enough for: these say themselves what is to be learnt, or a teacher does. */
export const textTasks = table
  .filter(({ truth }) => truth === 'text' || truth === 'teacher')
  .map(({ name }): DatasetTask => name);

/** Whether models of a task read texts: what they are given has tokens. */
export const readsTexts = (name: TaskName): boolean => modelTask(name).about !== 'image';

/** Whether there is one answer about the whole of each example. */
export const answersWholes = (name: TaskName): boolean => {
  const { about } = modelTask(name);
  return about === 'text' || about === 'image';
};

/** What data without a word about it is for. */
export const [usualTask] = datasetTasks;

/** The facts of a task of data. What data says is checked where it is read: another name is a bug. */
export const dataTask = (name: DatasetTask): DataTask => {
  const task = table.find((candidate) => candidate.name === name);
  if (task !== undefined) return task;
  throw new Error(`there is no task "${name}"; known: ${datasetTasks.join(', ')}`);
};

/** The facts of a task of models. */
export const modelTask = (name: TaskName): ModelTask => dataTask(name);

/** The task whose answers are of a kind: what a head makes of a model, whatever data is for. */
export const taskWith = (about: ModelTask['about'], answer: Answer): DatasetTask => {
  const task = table.find((candidate) => candidate.about === about && candidate.answer === answer);
  if (task !== undefined) return task.name;
  throw new Error(`no task has ${answer} answers about a ${about}`);
};

/** The task whose right answers come from somewhere. */
export const taskLearning = (truth: DataTask['truth']): DatasetTask => {
  const task = table.find((candidate) => candidate.truth === truth);
  if (task !== undefined) return task.name;
  throw new Error(`no task learns from ${truth}`);
};

/** The task whose answers are made of no more than what stands before their token. */
export const taskReading = (reads: NonNullable<ModelTask['reads']>): DatasetTask => {
  const task = table.find((candidate) => 'reads' in candidate && candidate.reads === reads);
  if (task !== undefined) return task.name;
  throw new Error(`no task reads what stands ${reads}`);
};

/** Whether answers are of classes that have names. */
export const hasClasses = (name: TaskName): boolean => {
  const { answer } = modelTask(name);
  return answer === 'set' || answer === 'choice';
};

/** Whether an answer is one choice among its numbers: of many, the most probable ones say enough. */
export const choosesOne = (name: TaskName): boolean => {
  const { answer } = modelTask(name);
  return answer === 'token' || answer === 'choice';
};

/** Whether models of a task write texts: the one that they were given on, or an answer to it. */
export const writes = (name: TaskName): boolean => modelTask(name).reads !== undefined;

/** Every metric of a task, the primary one first. */
export const metricsOf = ({ metric, more }: Pick<DataTask, 'metric' | 'more'>): readonly Metric[] => [metric, ...more];
