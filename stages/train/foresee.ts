import { targetKindOf } from '../../data/targets/index.ts';
import { defaultEngine } from '../../engine/engines/index.ts';
import { chosenInFloat32, noFloat16, type Precision } from '../../engine/precision.ts';
import { type DatasetTask, dataTask } from '../../ground/tasks.ts';
import type { DataFacts, Expected, Foreboding, Foreseen, Outlook } from '../expected.ts';
import { teacherProblem } from '../label/index.ts';
import { type Augmenting, augmentProblems, wordsProblems } from './augment.ts';

/** Why a quantized model cannot be followed layer by layer. */
export const noHiddenStates =
  'the teacher is quantized, and its fused layers put out no hidden states to compare: leave hidden out, or take the model ' +
  'from before quantization as teacher';

/** Why a quantized model cannot answer in the steps of its student. */
export const noQuantizedBeside =
  'the teacher is quantized, and it has to answer in every step: take the model from before quantization as teacher';

/** Why nothing is to be fitted. */
export const noThresholds = (task: DatasetTask): string =>
  `thresholds are of classes that a text has or has not, and the data is for ${task}: leave thresholds out`;

/** Why nothing can be dropped at a ratio that was asked for. */
export const nothingDrops = (ratio: number): string =>
  `dropout: ${ratio} was asked for, but nothing in the layers of the model can be dropped: its graph holds no Dropout, and no ` +
  'residual blocks were found in it to put one behind; expected dropout: 0, which trains without';

/** The options of any training that say something of the model's parts, or of the data. */
export interface Training extends Augmenting {
  readonly task?: DatasetTask | undefined;
  readonly thresholds?: 'half' | 'fitted' | undefined;
  readonly dropout?: number | undefined;
  readonly freeze: readonly string[];
  readonly classWeights: 'none' | 'balanced';
  readonly precision?: Precision | undefined;
  readonly recompute?: boolean | undefined;
  readonly hidden?: { readonly layers: string | Readonly<Record<string, number>> } | undefined;
}

/** The first and the last of the layers that a part names; undefined where it names none. */
const layersIn = (part: string): readonly [number, number] | undefined => {
  const [, first, last = first] = /^layers\.(\d+)(?:-(\d+))?$/.exec(part) ?? [];
  return last === undefined ? undefined : [Number(first), Number(last)];
};

/** Parts that are to stand still and are not there. */
const missingParts = ({ freeze }: Training, layers: number | undefined): readonly Foreboding[] =>
  freeze.flatMap((part, i) => {
    const [, last] = layersIn(part) ?? [];
    if (layers === undefined || last === undefined || last < layers) return [];
    const message = `the model's layers are 0 to ${layers - 1}; found ${part}`;
    return [{ path: ['freeze', i], message }];
  });

/** Parts that together are the whole model. */
const nothingMoves = ({ freeze }: Training, layers: number | undefined): readonly Foreboding[] => {
  if (layers === undefined || !['embeddings', 'head'].every((part) => freeze.includes(part))) return [];
  const ranges = freeze.flatMap((part) => [layersIn(part) ?? []]);
  const stands = (layer: number): boolean => ranges.some(([from = 1, to = 0]) => from <= layer && layer <= to);
  if (!Array.from({ length: layers }, (_, layer) => layer).every(stands)) return [];
  const message = `freeze: [${freeze.join(', ')}] leaves no parameter that training could move; freeze less`;
  return [{ path: ['freeze'], message }];
};

/** Pairs of layers of which one is not there. */
const missingPairs = ({ hidden }: Training, student: Expected, teacher: Expected): readonly Foreboding[] => {
  const [own, theirs] = [student.sizes?.layers, teacher.sizes?.layers];
  if (typeof hidden?.layers !== 'object') return [];
  return Object.entries(hidden.layers).flatMap(([from, to]) => {
    const path = ['hidden', 'layers', from];
    if (own !== undefined && Number(from) >= own)
      return [{ path, message: `the student's layers are 0 to ${own - 1}; found ${from}` }];
    if (theirs !== undefined && to >= theirs)
      return [{ path, message: `the teacher's layers are 0 to ${theirs - 1}; found ${to}` }];
    return [];
  });
};

const withoutHidden = ({ hidden }: Training, { stored }: Expected): readonly Foreboding[] =>
  hidden === undefined || stored === undefined ? [] : [{ path: ['hidden'], message: noHiddenStates }];

/** Where a teacher answers in every step, nobody asked before whether it can; one that was asked before is looked into alone. */
const teachersBeside = (models: Outlook['models'], data: DataFacts | undefined): readonly Foreboding[] => {
  const { teacher } = models;
  if (teacher === undefined || 'teacher-outputs' in models || data === undefined) return [];
  if (dataTask(data.task).teacherReadsAlong === undefined) return [];
  const wrong = teacher.task === undefined ? undefined : teacherProblem(teacher.task, data.task);
  const problem = wrong ?? (teacher.stored !== undefined ? noQuantizedBeside : undefined);
  return problem === undefined ? [] : [{ path: ['teacher'], message: problem }];
};

/** Why nothing can be balanced: only classes are rare or frequent. */
export const noClassWeights = (task: DatasetTask): string =>
  `data for ${task} has no classes to balance: leave classWeights out`;

const withoutClasses = ({ classWeights }: Training, data: DataFacts | undefined): readonly Foreboding[] =>
  classWeights === 'none' || data === undefined || targetKindOf(data.task).named
    ? []
    : [{ path: ['classWeights'], message: noClassWeights(data.task) }];

const withoutLabels = (uses: 'train' | 'distill', data: DataFacts | undefined): readonly Foreboding[] =>
  uses === 'train' && data !== undefined && dataTask(data.task).truth === 'teacher'
    ? [
        {
          path: [],
          message: `data for ${data.task} has no labels to train on: use distill, with the model to follow as teacher`,
        },
      ]
    : [];

/** The data as training reads it. */
export const dataFor = ({ task }: Training, data: DataFacts | undefined): DataFacts | undefined =>
  data === undefined || task === undefined || task === data.task ? data : { ...data, task, classes: [], whole: true };
const withoutSets = ({ thresholds }: Training, data: DataFacts | undefined): readonly Foreboding[] =>
  thresholds === undefined || data === undefined || dataTask(data.task).answer === 'set'
    ? []
    : [{ path: ['thresholds'], message: noThresholds(data.task) }];

const withoutDropout = ({ dropout = 0 }: Training, { drops }: Expected): readonly Foreboding[] =>
  dropout === 0 || drops !== false ? [] : [{ path: ['dropout'], message: nothingDrops(dropout) }];

const withoutFloat16 = ({ precision }: Training, engine: Outlook['engine']): readonly Foreboding[] => {
  if (precision !== 'fp16' || engine === undefined) return [];
  if (engine !== 'chosen' && engine.device.float16 === true) return [];
  const message = engine === 'chosen' ? chosenInFloat32 : noFloat16(engine.name, engine.device.name);
  return [{ path: ['precision'], code: 'no-float16', message }];
};

const withoutRecompute = ({ recompute }: Training, engine: Outlook['engine']): readonly Foreboding[] => {
  if (recompute !== true || engine === undefined || engine === 'chosen' || engine.name === defaultEngine) return [];
  const message = `recompute spares memory of the CPU, and the engine is "${engine.name}"; leave recompute out, or write engine: ${defaultEngine}`;
  return [{ path: ['recompute'], message }];
};

/** What training makes of a model, and what would stop it: the same for train, distill and recovery after pruning. */
export const foreseeTraining = (
  config: Training,
  uses: 'train' | 'distill',
  { models, data: given, engine }: Pick<Outlook, 'models' | 'data' | 'engine'>,
): Foreseen => {
  const data = dataFor(config, given);
  const { model = {}, 'teacher-outputs': outputs, teacher: beside } = models;
  const teacher = outputs ?? beside ?? {};
  const problems = [
    ...withoutClasses(config, data),
    ...teachersBeside(models, data),
    ...withoutLabels(uses, data),
    ...withoutSets(config, data),
    ...augmentProblems(config, data?.task),
    ...wordsProblems(config, models),
    ...withoutRecompute(config, engine),
    ...withoutFloat16(config, engine),
    ...withoutDropout(config, model),
    ...missingParts(config, model.sizes?.layers),
    ...nothingMoves(config, model.sizes?.layers),
    ...missingPairs(config, model, teacher),
    ...withoutHidden(config, teacher),
  ];
  const { task, labels: _, head: roles, ...body } = model;
  const kept = roles !== undefined && task === data?.task ? { head: roles } : {};
  const head = data === undefined ? {} : { task: data.task, ...(data.whole ? { labels: data.classes } : {}) };
  return { model: { ...body, ...head, ...kept }, problems };
};
