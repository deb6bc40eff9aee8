import { isDeepStrictEqual } from 'node:util';
import type { Dataset, Example } from '../../data/dataset.ts';
import { tokenTranslation } from '../../data/tokenizers/translate.ts';
import type { ImitationEntry } from '../../engine/losses/imitation.ts';
import { type Beside, type ImitationContext, imitate, type Loss } from '../../engine/losses/index.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import type { Phase, TrainRequest, WeightHook } from '../../engine/train-request.ts';
import type { TrainingExamples } from '../../engine/training-options.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { stageError } from '../../ground/errors.ts';
import { dataTask } from '../../ground/tasks.ts';
import { tapsOf } from '../../models/anatomy/taps.ts';
import { type Model, tokenizerIn } from '../../models/model.ts';
import { isQuantized } from '../../models/quantized.ts';
import { withProjection } from '../../models/sentence.ts';
import { teacherProblem } from '../label/index.ts';
import { answersFor, type TeacherOutputs } from '../label/outputs.ts';
import { augmented } from '../train/augmenters.ts';
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
import { endsOf, entriesOf, looksInside, needsTeacher, termsOf } from './entries.ts';
import { noInside, nothingLeft, otherAnswers, twice } from './foresee.ts';
import { expectSameTokens } from './kept.ts';
import type { DistillationConfig } from './options.ts';
import { selected } from './select/candidates.ts';
import { otherTokens } from './tokens.ts';

export interface DistillationJob {
  readonly model: Model;
  readonly dataset: Dataset;
  /** What the teacher said before; left out where it reads along. */
  readonly teacher?: TeacherOutputs | undefined;
  /** Teachers themselves, by their ids: needed where one reads along, or is looked into. */
  readonly teachers: ReadonlyMap<string, Model>;
  readonly config: DistillationConfig;
  readonly hook?: WeightHook | undefined;
  /** Other words for those of the texts, where augmentation asks for them. */
  readonly rewordings?: InputArtifact | undefined;
  /** What each of several teachers said, where texts are chosen by that. */
  readonly said?: readonly TeacherOutputs[] | undefined;
  /** Whether the student's stream will be narrower in the end: it is compared through a projection even where it is as wide. */
  readonly narrows?: boolean | undefined;
}

/** Why a teacher that reads other tokens, or integers, cannot be asked in the step. */
const cannotReadAlong = {
  inside: {
    quantized: ({ losses }: DistillationConfig) => {
      const first = losses?.find(looksInside);
      return first === undefined ? noHiddenStates : noInside(first.uses);
    },
    tokens: otherTokens,
  },
  answers: {
    quantized: () => noQuantizedBeside,
    tokens:
      'student and teacher cut texts into different tokens: what the teacher says of its own is nothing to the student; ' +
      'cut the student from the teacher',
  },
};

/** Whether the teacher answers in the step: else it was asked before. */
const asksInStep = ({ dataset, teacher }: DistillationJob): boolean =>
  teacher === undefined && dataTask(dataset.task).teacherReadsAlong !== undefined;

/** A teacher as the step reads it. */
const besideOf = async (student: Model, teacher: Model, job: DistillationJob): Promise<Beside> => {
  const { dataset, config } = job;
  const answers = asksInStep(job);
  const why = cannotReadAlong[answers ? 'answers' : 'inside'];
  if (isQuantized(teacher.graph)) throw stageError(why.quantized(config));
  const model = answers ? taskOf(dataset.task).answering(teacher) : teacher;
  if (isDeepStrictEqual(student.tokenizer, teacher.tokenizer)) return { model };
  const ids = await tokenTranslation(tokenizerIn(student), tokenizerIn(teacher));
  if (ids === undefined) throw stageError(why.tokens);
  return { model, ids };
};

/** What losses are made for; of those that look inside, by the teacher that they name. */
type ContextOf = (entry?: ImitationEntry) => ImitationContext;

const contextsOf = async (student: Model, job: DistillationJob): Promise<ContextOf> => {
  const { dataset, config, teacher, teachers, narrows = false } = job;
  const along = asksInStep(job);
  const asked = along || needsTeacher(config);
  const besides = new Map<string, Beside>();
  for (const [id, model] of asked ? teachers : []) besides.set(id, await besideOf(student, model, job));
  const [only] = besides.values();
  const insideOf = (beside: Beside) => ({ beside, student: tapsOf(student), teacher: tapsOf(beside.model), narrows });
  const insides = needsTeacher(config) ? new Map(Array.from(besides, ([id, one]) => [id, insideOf(one)])) : new Map();
  const [first] = insides.values();
  return (entry) => ({
    ...{ hard: config.hard, temperature: config.temperature, inside: insides.get(entry?.teacher ?? '') ?? first },
    answer: dataTask(dataset.task).answer,
    restApart: teacher?.tokens !== undefined && teacher.rows.kept !== undefined,
    beside: along ? only : undefined,
  });
};

/** Losses of what is known of the texts themselves: beside answers of a teacher, and alone. */
const ownLosses = ({ dataset, config }: DistillationJob, { hard, temperature, beside }: ImitationContext) => {
  const { besides, targetLosses } = taskOf(dataset.task);
  const settings = { ...lossSettings(config, dataset, { hard, temperature }), beside };
  return {
    besides: besides?.(settings) ?? [],
    labels: dataset.train.length > 0 && hard > 0 ? targetLosses(settings) : [],
  };
};

/** What a plan finds before; who calls the stage by itself is told here. */
const expectLosses = ({ dataset, config }: DistillationJob): void => {
  if (config.losses !== undefined && config.hidden !== undefined) throw stageError(twice);
  const [other] = (config.losses ?? []).flatMap((entry) => otherAnswers(entry, dataset.task) ?? []);
  if (other !== undefined) throw stageError(other);
};

const phasesOf = async (student: Model, job: DistillationJob): Promise<readonly Phase[]> => {
  const { dataset, config } = job;
  expectLosses(job);
  const contextOf = await contextsOf(student, job);
  const entries = entriesOf(config, taskOf(dataset.task).imitation);
  const terms = termsOf(entries);
  const all = entries.map((entry, i) => ({ entry, loss: imitate(entry, contextOf(entry), terms[i]) }));
  const { besides, labels } = ownLosses(job, contextOf());
  const lossesUntil = (end: number): readonly Loss[] => {
    const going = all.filter(({ entry }) => entry.until >= end);
    const [inside, answers] = [true, false].map((is) => going.filter(({ entry }) => looksInside(entry) === is));
    return [...lossesOf(answers), ...besides, ...labels, ...lossesOf(inside)];
  };
  const ends = [...new Set([...endsOf(entries), 1])];
  const phases = ends.map((until): Phase => ({ losses: lossesUntil(until), until }));
  if (phases.at(-1)?.losses.length === 0) throw stageError(nothingLeft(endsOf(entries).at(-1) ?? 1));
  return phases;
};

const lossesOf = (made: readonly { readonly loss: Loss }[] = []): readonly Loss[] => made.map(({ loss }) => loss);

const named = (classes: readonly string[]): string =>
  `${classes.length} classes (${classes.slice(0, 3).join(', ')} ...)`;

/** A teacher that was asked before was looked at then. */
const expectTeacher = ({ dataset, teacher, teachers }: DistillationJob): void => {
  if (teacher !== undefined) return;
  const [model] = teachers.values();
  if (model === undefined) throw new Error('distill needs what a teacher said, or the teacher');
  const problem = teacherProblem(model.info.task, dataset.task);
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
const studentOf = ({ model, dataset, teacher, narrows }: DistillationJob, seed: number): Model => {
  const student = trainable(model, dataset);
  return teacher !== undefined && dataTask(dataset.task).answer === 'vector'
    ? withProjection(student, teacher.rows.width, seed, narrows)
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
  const asked = { ...given, dataset: dataFor(given.config, given.dataset) };
  expectTeacher(asked);
  expectSameClasses(asked);
  expectDropout(asked.model, asked.config);
  const { job, ...prepared } = await selected(asked, ctx);
  const { dataset, config, hook, rewordings } = job;
  const student = studentOf(job, ctx.seed);
  if (job.teacher !== undefined) expectSameTokens(student, job.teacher);
  const texts = [...dataset.train, ...dataset.unlabelled];
  if (texts.length === 0) throw stageError('the data has no training texts');
  const validation = dataset.validation.slice(0, config.validationLimit);
  const request: TrainRequest = {
    ...{ ...withZerosHeld(student, config, hook), task: taskOf(dataset.task), ...prepared },
    examples: await taught('training', texts, job, student, ctx.signal),
    validation: await taught('validation', validation, job, student, ctx.signal),
    options: trainingOptions(config, defaultRates.distill),
    phases: await phasesOf(student, job),
    ...(config.written === undefined ? {} : { written: config.written }),
    ...(await withinStep(ctx)),
  };
  return await augmented(request, config, { ids: idsOf(texts), rewordings });
};

/** Fits a student to what the teacher said, and to the labels. */
export const runDistillation = async (job: DistillationJob, ctx: TrainingContext): Promise<TrainedModel> =>
  runRequest(await distillationOf(job, ctx), job, ctx);
