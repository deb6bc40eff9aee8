import { isDeepStrictEqual } from 'node:util';
import type { Dataset, Example } from '../../data/dataset.ts';
import { tokenTranslation } from '../../data/tokenizers/translate.ts';
import { type Beside, hiddenStates, type LayerPair, type Loss, layerPairs } from '../../engine/losses/index.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import type { Phase, TrainRequest, WeightHook } from '../../engine/train-request.ts';
import type { TrainingExamples } from '../../engine/training-options.ts';
import { stageError } from '../../ground/errors.ts';
import { dataTask } from '../../ground/tasks.ts';
import { hiddenStatesOf } from '../../models/anatomy/hidden-states.ts';
import type { Model } from '../../models/model.ts';
import { isQuantized } from '../../models/quantized.ts';
import { withProjection } from '../../models/sentence.ts';
import { teacherProblem } from '../label/index.ts';
import { answersFor, type TeacherOutputs } from '../label/outputs.ts';
import { encodeExamples } from '../train/examples.ts';
import { noHiddenStates, noQuantizedBeside } from '../train/foresee.ts';
import { defaultRates, trainingOptions } from '../train/options.ts';
import {
  dataFor,
  expectDropout,
  lossSettings,
  runRequest,
  type TrainedModel,
  type TrainingContext,
  trainable,
  withinStep,
} from '../train/run.ts';
import { withZerosHeld } from '../train/zeros.ts';
import type { DistillationConfig, HiddenConfig } from './options.ts';
import { readsAlong } from './wire.ts';

export interface DistillationJob {
  readonly model: Model;
  readonly dataset: Dataset;
  /** What the teacher said before; left out where it reads along. */
  readonly teacher?: TeacherOutputs | undefined;
  /** The teacher itself: needed where it reads along, or hidden states are compared. */
  readonly teacherModel?: Model | undefined;
  readonly config: DistillationConfig;
  readonly hook?: WeightHook | undefined;
}

const pairsOf = (student: Model, teacher: Model, { layers }: HiddenConfig): readonly LayerPair[] => {
  const counts = [hiddenStatesOf(student).length, hiddenStatesOf(teacher).length] as const;
  if (typeof layers === 'string') return layerPairs(...counts, layers);
  const pairs = Object.entries(layers).map(([from, to]): LayerPair => [Number(from), to]);
  for (const [from, to] of pairs) {
    if (from >= counts[0] || to >= counts[1]) {
      throw stageError(
        `hidden.layers maps student layer ${from} to teacher layer ${to}, but the student has ${counts[0]} layers and ` +
          `the teacher ${counts[1]}, counted from 0`,
      );
    }
  }
  return pairs;
};

const hiddenLoss = (student: Model, teacher: Beside | undefined, config: HiddenConfig): Loss => {
  if (teacher === undefined) throw new Error('comparing hidden states needs the model of the teacher');
  return hiddenStates(student, teacher, { pairs: pairsOf(student, teacher.model, config), weight: config.weight });
};

/** Why a teacher that reads other tokens, or integers, cannot be asked in the step. */
const cannotReadAlong = {
  hidden: {
    quantized: noHiddenStates,
    tokens:
      'student and teacher cut texts into different tokens: their hidden states cannot be compared; leave hidden out, ' +
      'or cut the student from the teacher',
  },
  answers: {
    quantized: noQuantizedBeside,
    tokens:
      'student and teacher cut texts into different tokens: what the teacher says of its own is nothing to the student; ' +
      'cut the student from the teacher',
  },
};

/** The teacher as the step reads it; undefined where nothing asks it there. */
const besideOf = async (student: Model, job: DistillationJob): Promise<Beside | undefined> => {
  const { dataset, teacherModel: teacher, config } = job;
  const answers = readsAlong(dataset.task);
  if (teacher === undefined || !(answers || config.hidden !== undefined)) return undefined;
  const why = cannotReadAlong[answers ? 'answers' : 'hidden'];
  if (isQuantized(teacher.graph)) throw stageError(why.quantized);
  const model = answers ? taskOf(dataset.task).answering(teacher) : teacher;
  if (isDeepStrictEqual(student.tokenizer, teacher.tokenizer)) return { model };
  const ids = await tokenTranslation(student.tokenizer, teacher.tokenizer);
  if (ids === undefined) throw stageError(why.tokens);
  return { model, ids };
};

const phasesOf = async (student: Model, job: DistillationJob): Promise<readonly Phase[]> => {
  const { dataset, config } = job;
  const { imitation, targetLosses } = taskOf(dataset.task);
  const beside = await besideOf(student, job);
  const shares = { hard: config.hard, temperature: config.temperature };
  const settings = {
    ...lossSettings(config, dataset, shares),
    beside: readsAlong(dataset.task) ? beside : undefined,
  };
  const labels = dataset.train.length > 0 && config.hard > 0 ? targetLosses(settings) : [];
  const answers = [...imitation(settings), ...labels];
  if (config.hidden === undefined) return [{ losses: answers, until: 1 }];
  const hidden = hiddenLoss(student, beside, config.hidden);
  const first = { losses: [...answers, hidden], until: config.hidden.share };
  return config.hidden.share < 1 ? [first, { losses: answers, until: 1 }] : [first];
};

const named = (classes: readonly string[]): string =>
  `${classes.length} classes (${classes.slice(0, 3).join(', ')} ...)`;

/** A teacher that was asked before was looked at then. */
const expectTeacher = ({ dataset, teacher, teacherModel }: DistillationJob): void => {
  if (teacher !== undefined) return;
  if (teacherModel === undefined) throw new Error('distill needs what a teacher said, or the teacher');
  const problem = teacherProblem(teacherModel.info.task, dataset.task);
  if (problem !== undefined) throw stageError(problem);
};

const expectSameClasses = ({ dataset, teacher }: DistillationJob): void => {
  if (teacher === undefined || isDeepStrictEqual(teacher.classes, dataset.classes)) return;
  throw stageError(
    `the teacher knows ${named(teacher.classes)}, the data has ${dataset.classes.length} ` +
      `(${dataset.classes.slice(0, 3).join(', ')} ...): train the teacher on this data`,
  );
};

/** The student ready for training: vectors of another width than the teacher's are projected into its space. */
const studentOf = ({ model, dataset, teacher }: DistillationJob, seed: number): Model => {
  const student = trainable(model, dataset);
  return teacher !== undefined && dataTask(dataset.task).answer === 'vector'
    ? withProjection(student, teacher.rows.width, seed)
    : student;
};

const idsOf = (examples: readonly Example[]): readonly number[] => examples.map(({ id }) => id);

/** Texts with what the teacher said about them, as far as it was asked: about those for validation where nothing else judges. */
const taught = async (
  split: 'training' | 'validation',
  examples: readonly Example[],
  { dataset, teacher }: DistillationJob,
  student: Model,
  signal: AbortSignal,
): Promise<TrainingExamples> => ({
  ...(await encodeExamples(split, examples, { model: student, task: taskOf(dataset.task), dataset }, signal)),
  ...(teacher !== undefined && (split === 'training' || dataTask(dataset.task).truth === 'teacher')
    ? { teacher: answersFor(teacher, idsOf(examples)) }
    : {}),
});

/** How a student is fitted to what the teacher said about every training text, and to the label where there is one. */
export const distillationOf = async (given: DistillationJob, ctx: TrainingContext): Promise<TrainRequest> => {
  const job = { ...given, dataset: dataFor(given.config, given.dataset) };
  const { dataset, config, hook } = job;
  expectTeacher(job);
  expectSameClasses(job);
  expectDropout(job.model, config);
  const student = studentOf(job, ctx.seed);
  const texts = [...dataset.train, ...dataset.unlabelled];
  if (texts.length === 0) throw stageError('the data has no training texts');
  const validation = dataset.validation.slice(0, config.validationLimit);
  return {
    ...{ ...withZerosHeld(student, config, hook), task: taskOf(dataset.task) },
    examples: await taught('training', texts, job, student, ctx.signal),
    validation: await taught('validation', validation, job, student, ctx.signal),
    options: trainingOptions(config, defaultRates.distill),
    phases: await phasesOf(student, job),
    ...(await withinStep(ctx)),
  };
};

/** Fits a student to what the teacher said, and to the labels. */
export const runDistillation = async (job: DistillationJob, ctx: TrainingContext): Promise<TrainedModel> =>
  runRequest(await distillationOf(job, ctx), job, ctx);
