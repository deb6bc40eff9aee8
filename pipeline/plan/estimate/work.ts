import type { ModelSize } from '../../../engine/rehearsal/rehearsal.ts';
import type { Precision } from '../../../models/precision.ts';
import type { Effort, Expected, TextCounts } from '../../../stages/expected.ts';
import { measuringPass } from '../../../stages/prune/pass.ts';
import type { AnyStage } from '../../../stages/stage.ts';
import { type Catalogue, stageOf } from '../../catalogue.ts';
import type { Plan, Step } from '../plan.ts';
import { answersOf } from './answers.ts';
import { sizeOf } from './sizes.ts';
import { rowsOf, type Texts } from './texts.ts';

/** A model of a known size, and where the chain begins that it comes from: its texts are cut as there. */
export interface Sized {
  readonly size: ModelSize;
  readonly stored: Precision;
  readonly origin: string;
}

/** What a step does, as far as its time and memory hang on it. */
export interface Work {
  readonly step: Step;
  readonly stage: AnyStage;
  readonly effort: Effort;
  /** How many rows there are to read; those of the texts where no model reads them. */
  readonly rows: TextCounts;
  /** Answers about one row. */
  readonly answers: number;
  /** Models that go in, and the one that comes out; undefined where one is of no known size. */
  readonly given: readonly (Sized | undefined)[];
  readonly made: Sized | undefined;
  /** Teachers that take part in every pass of a training. */
  readonly beside: readonly (Sized | undefined)[];
  /** Whether it trains at all. */
  readonly trains: boolean;
  /** Texts of one pass, where it trains. */
  readonly batch: number | null;
  /** Whether it computes layers once more in the backward pass. */
  readonly recompute: boolean;
}

/** Lengths of the sampled texts as models read them, by the step that a chain of models begins with. */
export type Lengths = ReadonlyMap<string, readonly number[]>;

/** Rows of one pass of what computes gradients and trains nothing. */
const measuredIn = (lengths: readonly number[] | undefined, maxLength: number): number =>
  measuringPass(lengths?.reduce((most, length) => Math.max(most, length), 1) ?? maxLength);

/** The first step of the chain of models that a step stands in. */
const originOf = (step: Step, plan: Plan, catalogue: Catalogue): string => {
  const before = [step.inputs.model, ...Object.values(step.inputs)]
    .map((ref) => plan.steps.find(({ id }) => id === ref?.step))
    .find((one) => one !== undefined && stageOf(catalogue, one.uses)?.makes === 'model');
  return before === undefined ? step.id : originOf(before, plan, catalogue);
};

interface Known {
  readonly plan: Plan;
  readonly catalogue: Catalogue;
  readonly models: ReadonlyMap<string, Expected | undefined>;
  readonly texts: Texts;
  /** Left out before they were counted. */
  readonly lengths?: Lengths;
}

const sizedAt = (id: string, { plan, catalogue, models, texts }: Known): Sized | undefined => {
  const { maxLength, classes, task, train } = texts.sample;
  const [model, step] = [models.get(id), plan.steps.find((one) => one.id === id)];
  const size = sizeOf(model, { task, maxLength, classes: classes.length, pixels: train[0]?.pixels });
  if (size === undefined || step === undefined) return undefined;
  return { size, stored: model?.stored ?? 'fp32', origin: originOf(step, plan, catalogue) };
};

/** What a step does; undefined for a kind that nobody knows. */
export const workOf = (step: Step, known: Known): Work | undefined => {
  const stage = stageOf(known.catalogue, step.uses);
  if (stage === undefined) return undefined;
  const named = Object.entries(step.inputs).filter(([, { step: id }]) => {
    const before = known.plan.steps.find((one) => one.id === id);
    return before !== undefined && stageOf(known.catalogue, before.uses)?.makes === 'model';
  });
  const models = named.map(([, ref]) => ref);
  const given = models.map(({ step: id }) => sizedAt(id, known));
  const made = stage.makes === 'model' ? sizedAt(step.id, known) : undefined;
  const { texts, lengths } = known;
  const own = lengths?.get((given[0] ?? made)?.origin ?? '');
  const rows = models.length > 0 || made !== undefined ? rowsOf(texts, own) : texts.counts;
  const effort = stage.effort?.(step.config, rows, models.length) ?? {};
  const trains = stage.trains?.when(step.config) === true;
  const { batch, recompute = false } = (trains ? stage.trains?.pass(step.config) : undefined) ?? { batch: undefined };
  return {
    ...{ step, stage, effort, rows, trains, given, made },
    answers: answersOf(texts.sample, own),
    beside: trains ? named.flatMap(([name, ref]) => (name === 'model' ? [] : [sizedAt(ref.step, known)])) : [],
    recompute,
    batch: batch ?? ((effort.trained ?? 0) > 0 ? measuredIn(own, texts.sample.maxLength) : null),
  };
};

/** The models that a step asks, and the one that it computes gradients of. */
export const askedIn = ({ trains, given, made }: Work): readonly (Sized | undefined)[] => (trains ? [made] : given);

export const trainedIn = (work: Work): Sized | undefined => (work.batch === null ? undefined : askedIn(work)[0]);
