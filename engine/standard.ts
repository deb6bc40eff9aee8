import { isKnown, type Targets } from '../data/answer-targets.ts';
import { isUnread, type Rows } from '../data/rows.ts';
import { modelError } from '../ground/errors.ts';
import type { Model } from '../models/model.ts';
import { answerHead, isBlank, withChangedAnswers } from '../models/unit.ts';
import type { TrainingExamples } from './training-options.ts';

/** What a training is made of that is about numbers in a unit. */
export interface InUnit {
  readonly model: Model;
  readonly examples: TrainingExamples;
  readonly validation: TrainingExamples;
}

/** The same training in numbers of mean 0 and deviation 1, and the way back. */
export interface Standardized extends InUnit {
  restore(model: Model): Model;
}

interface Unit {
  readonly mean: number;
  readonly deviation: number;
}

/** Mean and deviation of what is to be learned: what a teacher says where there is one, else the targets. */
const unitOf = ({ targets, teacher }: TrainingExamples): Unit => {
  const numbers =
    teacher === undefined
      ? Float64Array.from(targets.data).filter((_, answer) => isKnown(targets, answer))
      : Float64Array.from(teacher.data).filter((_, answer) => !isUnread(teacher, answer));
  const mean = numbers.reduce((sum, x) => sum + x, 0) / Math.max(1, numbers.length);
  const variance = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / Math.max(1, numbers.length);
  return { mean, deviation: variance > 0 ? Math.sqrt(variance) : 1 };
};

const inUnit = (examples: TrainingExamples, { mean, deviation }: Unit): TrainingExamples => {
  const standard = (x: number): number => (x - mean) / deviation;
  const numbers = ({ width, data }: Targets): Targets => ({ width, data: Float32Array.from(data, standard) });
  const said = (teacher: Rows): Rows => ({ ...teacher, data: teacher.data.map(standard) });
  const { targets, teacher } = examples;
  return {
    ...examples,
    targets: targets.data instanceof Float32Array ? numbers(targets) : targets,
    ...(teacher === undefined ? {} : { teacher: said(teacher) }),
  };
};

/** A Sigmoid gives nothing below 0 or above 1: numbers beyond are no matter of training. */
const expectReachable = ({ model, examples: { targets } }: InUnit): void => {
  if (model.info.processor.activation === undefined) return;
  const beyond = targets.data.find((x) => x < 0 || x > 1);
  if (beyond === undefined || !(targets.data instanceof Float32Array)) return;
  throw modelError(
    `the model puts a Sigmoid behind its number, which stays between 0 and 1; the data has ${beyond}: bring the column into that range, or import the model with 'head: new'`,
  );
};

/**
 * A head of numbers would have to grow to the size of the user's unit, step by step of a rate that suits weights around 0. So
 * training sees all numbers, the model's own included, less their mean and over their deviation. Only weights are changed, and
 * changed back: what comes out answers in the unit that it was given, whether it was trained before or not. A model whose
 * answers are no plain product is trained as it is.
 */
export const standardized = (given: InUnit): Standardized => {
  expectReachable(given);
  const head = given.model.info.processor.activation === undefined ? answerHead(given.model) : undefined;
  if (head === undefined) return { ...given, restore: (model) => model };
  const { mean, deviation } = unitOf(given.examples);
  const unit = { mean: head.bias === undefined ? 0 : mean, deviation };
  return {
    // What was never trained has no unit yet.
    model: isBlank(given.model, head)
      ? given.model
      : withChangedAnswers(given.model, head, { factor: 1 / deviation, shift: -unit.mean / deviation }),
    examples: inUnit(given.examples, unit),
    validation: inUnit(given.validation, unit),
    restore: (model) => withChangedAnswers(model, head, { factor: deviation, shift: unit.mean }),
  };
};
