import { isDeepStrictEqual } from 'node:util';
import type { Dataset } from '../../data/dataset.ts';
import { tokenTranslation } from '../../data/tokenizers/translate.ts';
import {
  crossEntropy,
  distillation,
  hiddenStates,
  type LayerPair,
  type Loss,
  layerPairs,
} from '../../engine/losses/index.ts';
import { train } from '../../engine/train.ts';
import type { Phase, TrainingSummary, WeightHook } from '../../engine/train-request.ts';
import type { Model } from '../../models/model.ts';
import { logitsFor, type TeacherOutputs } from '../label/outputs.ts';
import { StageError } from '../stage.ts';
import { encodeExamples, longest } from '../train/examples.ts';
import { defaultRates, trainingOptions } from '../train/options.ts';
import { classWeightsFor, type TrainingContext, trainable } from '../train/run.ts';
import type { DistillationConfig, HiddenConfig } from './options.ts';

export interface DistillationJob {
  readonly model: Model;
  readonly dataset: Dataset;
  readonly teacher: TeacherOutputs;
  /** The teacher itself: needed where hidden states are compared. */
  readonly teacherModel?: Model | undefined;
  readonly config: DistillationConfig;
  readonly hook?: WeightHook | undefined;
}

const pairsOf = (student: Model, teacher: Model, { layers }: HiddenConfig): readonly LayerPair[] => {
  const counts = [student.info.hiddenStates.length, teacher.info.hiddenStates.length] as const;
  if (typeof layers === 'string') return layerPairs(...counts, layers);
  const pairs = Object.entries(layers).map(([from, to]): LayerPair => [Number(from), to]);
  for (const [from, to] of pairs) {
    if (from >= counts[0] || to >= counts[1]) {
      throw new StageError(
        `hidden.layers maps student layer ${from} to teacher layer ${to}, but the student has ${counts[0]} layers and ` +
          `the teacher ${counts[1]}, counted from 0`,
      );
    }
  }
  return pairs;
};

const hiddenLoss = (student: Model, teacher: Model | undefined, config: HiddenConfig): Loss => {
  if (teacher === undefined) throw new Error('comparing hidden states needs the model of the teacher');
  const pairs = pairsOf(student, teacher, config);
  if (isDeepStrictEqual(student.tokenizer, teacher.tokenizer)) return hiddenStates(student, teacher, pairs);
  const ids = tokenTranslation(student.tokenizer, teacher.tokenizer);
  if (ids === undefined) {
    throw new StageError(
      'student and teacher cut texts into different tokens: their hidden states cannot be compared; leave hidden out, ' +
        'or cut the student from the teacher',
    );
  }
  return hiddenStates(student, teacher, pairs, ids);
};

const phasesOf = (student: Model, { config, teacherModel }: DistillationJob, labels: boolean): readonly Phase[] => {
  const logits = [distillation(config.temperature), ...(labels && config.hard > 0 ? [crossEntropy] : [])];
  if (config.hidden === undefined) return [{ losses: logits, until: 1 }];
  const first = { losses: [...logits, hiddenLoss(student, teacherModel, config.hidden)], until: config.hidden.share };
  return config.hidden.share < 1 ? [first, { losses: logits, until: 1 }] : [first];
};

/** Fits a student to what the teacher said about every training text, and to the label where there is one. */
export const runDistillation = async (
  job: DistillationJob,
  ctx: TrainingContext,
): Promise<{ readonly model: Model; readonly summary: TrainingSummary }> => {
  const { dataset, teacher, config, hook } = job;
  if (!isDeepStrictEqual(teacher.classes, dataset.classes)) {
    throw new StageError(
      `the teacher knows ${teacher.classes.length} classes (${teacher.classes.slice(0, 3).join(', ')} ...), the data ` +
        `has ${dataset.classes.length} (${dataset.classes.slice(0, 3).join(', ')} ...): train the teacher on this data`,
    );
  }
  const student = trainable(job.model, dataset);
  const texts = [...dataset.train, ...dataset.unlabelled];
  if (texts.length === 0) throw new StageError('the data has no training texts');
  const maxLength = longest(dataset, student);
  const teacherLogits = logitsFor(
    teacher,
    texts.map(({ id }) => id),
  );
  return train({
    model: student,
    examples: { ...(await encodeExamples(texts, student, maxLength, ctx.signal)), teacherLogits },
    validation: await encodeExamples(
      dataset.validation.slice(0, config.validationLimit),
      student,
      maxLength,
      ctx.signal,
    ),
    options: trainingOptions(config, defaultRates.distill),
    phases: phasesOf(student, job, dataset.train.length > 0),
    lossWeights: {
      hard: config.hard,
      hidden: config.hidden?.weight ?? 0,
      classWeights: classWeightsFor(config, dataset),
    },
    hook,
    seed: ctx.seed,
    threads: ctx.threads,
    signal: ctx.signal,
    checkpoints: ctx.checkpoints,
    progress: (progress) => ctx.progress(progress),
  });
};
