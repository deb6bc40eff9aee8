import type { Dataset } from '../../../data/dataset.ts';
import { defaultEngine } from '../../../engine/engines/index.ts';
import { type Rehearsed, rehearse } from '../../../engine/rehearsal/rehearsal.ts';
import type { Precision } from '../../../models/precision.ts';
import type { Catalogue } from '../../catalogue.ts';
import { stageOf } from '../../catalogue.ts';
import { foreseeRun } from '../../foresee.ts';
import type { Plan } from '../plan.ts';
import { answerBytes } from './answers.ts';
import { bodyParameters, modelBytes, mostPositions, parametersOf } from './sizes.ts';
import { type Texts, textsOf, total } from './texts.ts';
import { askedIn, type Lengths, type Sized, trainedIn, type Work, workOf } from './work.ts';

/** What a step should take, before anything like it ran here; null where nobody can tell. */
export interface StepEstimate {
  readonly seconds: number | null;
  /** Most bytes that its process holds. */
  readonly memory: number | null;
  /** Bytes that it leaves. */
  readonly disk: number | null;
  /** Bytes of the states that it saves on its way. */
  readonly saved: number;
}

export interface Estimating {
  readonly plan: Plan;
  readonly catalogue: Catalogue;
  readonly threads: number;
  /** Steps that have to be estimated. */
  readonly wanted: ReadonlySet<string>;
  /** Bytes that a step may take. */
  readonly room: number;
  /** Nothing is tried for a run that is surely shorter: seconds. */
  readonly least?: number;
  readonly signal?: AbortSignal | undefined;
  /** The data, where it was read before; else it is read as its section says. */
  read?(): Promise<Dataset>;
  progress(done: number, total: number): void;
}

/** Tokens of the sampled texts, by the step that a chain of models begins with. */
const lengthsOf = async (
  works: readonly Work[],
  { sample }: Texts,
  { plan, catalogue }: Estimating,
): Promise<Lengths> => {
  const origins = new Set(works.flatMap(({ given, made }) => [...given, made].flatMap((sized) => sized?.origin ?? [])));
  const lengths = new Map<string, readonly number[]>();
  for (const step of plan.steps.filter(({ id }) => origins.has(id))) {
    const found = await stageOf(catalogue, step.uses)?.lengths?.(step.config, { dataset: sample, base: plan.base });
    if (found !== undefined) lengths.set(step.id, found);
  }
  return lengths;
};

/** What tells passes that train a size from others. */
type Passes = Pick<Work, 'batch' | 'recompute'>;

const noPass: Passes = { batch: null, recompute: false };

/** A size that is to be tried, and the passes that train it. */
interface Trial extends Passes {
  readonly sized: Sized;
}

const nameOf = ({ size, origin }: Sized, { batch, recompute }: Passes): string =>
  JSON.stringify([origin, size, batch, recompute]);

/** Every size once with each batch that it is trained with, and once without where it is only asked. */
const trialsOf = (works: readonly Work[]): readonly Trial[] => {
  const trials = new Map<string, Trial>();
  for (const work of works) {
    const [sized, { batch, recompute }] = [trainedIn(work), work];
    if (sized !== undefined) trials.set(nameOf(sized, work), { sized, batch, recompute });
  }
  const trained = new Set([...trials.values()].map(({ sized }) => nameOf(sized, noPass)));
  for (const sized of works.flatMap((work) => [...askedIn(work), ...work.beside])) {
    if (sized !== undefined && !trained.has(nameOf(sized, noPass)))
      trials.set(nameOf(sized, noPass), { sized, ...noPass });
  }
  return [...trials.values()];
};

/** What trials showed of a size: trained with a batch, or asked. */
interface Shown {
  trained(sized: Sized | undefined, passes: Passes): Rehearsed | undefined;
  asked(sized: Sized | undefined): Rehearsed | undefined;
}

const tryAll = async (trials: readonly Trial[], lengths: Lengths, options: Estimating): Promise<Shown> => {
  const { threads, room, signal, progress } = options;
  const byTraining = new Map<string, Rehearsed>();
  const byAsking = new Map<string, Rehearsed>();
  for (const [i, trial] of trials.entries()) {
    progress(i, trials.length);
    signal?.throwIfAborted();
    const { sized, batch, recompute } = trial;
    const own = lengths.get(sized.origin) ?? [];
    if (own.length === 0) continue;
    const shown = await rehearse({ size: sized.size, lengths: own, batch, recompute, threads, room }, signal);
    if (shown === undefined) continue;
    byTraining.set(nameOf(sized, trial), shown);
    byAsking.set(nameOf(sized, noPass), shown);
  }
  return {
    trained: (sized, passes) => (sized === undefined ? undefined : byTraining.get(nameOf(sized, passes))),
    asked: (sized) => (sized === undefined ? undefined : byAsking.get(nameOf(sized, noPass))),
  };
};

const FLOAT = 4;
/** Seconds of a step beside its work, and bytes of models that are read, written and hashed in one. */
const [STEP, HANDLED] = [0.3, 1e8];
/** Seconds for a text that is read without a model. */
const READING = 0.0002;

/** Scales that are found at run time span a batch, so that texts are asked one by one. */
const isAskedAlone = (stored: Precision): boolean => stored === 'q8' || stored === 'uint8';

/** Seconds that one model takes of a step. */
const secondsOf = (sized: Sized | undefined, { effort }: Work, shown: Shown): number | null => {
  const rates = shown.asked(sized);
  if (sized === undefined || rates === undefined) return null;
  const { asked = 0, alone = 0, compressed = 0 } = effort;
  return (
    rates.toAsk +
    asked * (isAskedAlone(sized.stored) ? rates.alone : rates.asked) +
    alone * rates.alone +
    compressed * rates.compressing * modelBytes(sized.size, sized.stored)
  );
};

const sumOf = (parts: readonly (number | null)[]): number | null =>
  parts.reduce<number | null>((sum, part) => (sum === null || part === null ? null : sum + part), 0);

const trainingSeconds = (work: Work, shown: Shown): number | null => {
  const { trained = 0 } = work.effort;
  if (trained === 0) return 0;
  const { trained: rate = null, toTrain = 0 } = shown.trained(trainedIn(work), work) ?? {};
  const beside = work.beside.map((sized) => shown.asked(sized)?.asked ?? null);
  return rate === null ? null : sumOf([toTrain, trained * rate, ...beside.map((one) => one && trained * one)]);
};

/** Bytes of models that a step reads and writes; null where one is of no known size. */
const handledBytes = ({ given, made, stage }: Work): number | null => {
  const all = stage.makes === 'model' ? [...given, made] : given;
  return sumOf(all.map((sized) => (sized === undefined ? null : modelBytes(sized.size, sized.stored))));
};

const timeOf = (work: Work, shown: Shown): number | null => {
  const { step, effort } = work;
  // Other engines would have to be tried themselves.
  if (step.engine !== undefined && step.engine !== defaultEngine) return null;
  const { asked = 0, alone = 0, compressed = 0, read = 0, seconds = 0 } = effort;
  const asks = asked + alone + compressed > 0;
  const handled = handledBytes(work);
  return sumOf([
    ...(asks ? askedIn(work).map((sized) => secondsOf(sized, work, shown)) : []),
    trainingSeconds(work, shown),
    handled === null ? null : handled / HANDLED,
    STEP + seconds + read * READING,
  ]);
};

/**
 * What a text takes in memory beside its characters, and what more where it is trained on (its tokens, orders of them and what
 * waits to be collected); a process that runs no model, and what reads texts for one that does.
 */
const [TEXT, TRAINED_TEXT, PROCESS, READERS] = [600, 1500, 9e7, 3.5e7];

/** Of an answer about a token that is learnt: the token, the next one, its place, and the target. */
const ANSWER = 16;

/** Bytes of the answers that a step leaves. */
const answered = ({ step, stage, given, answers, effort, rows }: Work, { sample }: Texts): number => {
  const about = { predictions: rows.test, 'teacher-outputs': effort.asked ?? 0 };
  const count = stage.makes === 'predictions' || stage.makes === 'teacher-outputs' ? about[stage.makes] : 0;
  return count * answers * answerBytes(sample, given[0]?.size, step.config);
};

/** What moves weights, and is not there where gradients are only measured: two moments and the best weights. */
const MOMENTS = 3;

const memoryOf = (work: Work, texts: Texts, shown: Shown): number | null => {
  const data = total(texts.characters) + TEXT * total(texts.counts);
  const { effort, given, made, rows } = work;
  if ((effort.trained ?? 0) > 0) {
    const own = trainedIn(work);
    const training = shown.trained(own, work)?.training;
    if (training === undefined || training === null || own === undefined) return null;
    const unmoved = work.trains ? 0 : MOMENTS * FLOAT * parametersOf(own.size);
    const beside = sumOf(work.beside.map((sized) => shown.asked(sized)?.asking ?? null));
    return sumOf([training - unmoved + READERS + data + (TRAINED_TEXT + ANSWER * work.answers) * total(rows), beside]);
  }
  const asking = [...given, made].flatMap((sized) => shown.asked(sized)?.asking ?? []);
  const handled = handledBytes(work);
  if (handled === null) return null;
  return (
    data + answered(work, texts) + (asking.length === 0 ? PROCESS + FLOAT * handled : READERS + Math.max(...asking))
  );
};

/** Bytes of the ten words and chances that are kept beside each word, for one of its five letters and a space. */
const REWORDED = 15;

const diskOf = (work: Work, texts: Texts): number | null => {
  const { stage, given, made } = work;
  const [handled, characters] = [handledBytes(work), total(texts.characters)];
  switch (stage.makes) {
    case 'model':
      return made === undefined ? null : modelBytes(made.size, made.stored);
    case 'folder':
      // Of exported folders the run's folder has a copy.
      return handled === null || given.length === 0 ? null : 2 * handled;
    case 'dataset':
      return 1.2 * characters;
    case 'predictions':
    case 'teacher-outputs':
      return answered(work, texts);
    case 'rewordings':
      return REWORDED * characters;
    default:
      return 0;
  }
};

/** Weights, the best of them and two moments are saved while a step trains. */
const SAVED = 4;

const savedBy = ({ trains, made }: Work): number =>
  made === undefined || !trains ? 0 : SAVED * FLOAT * parametersOf(made.size);

/** Operations a second of one thread, and for a parameter and a token: forward, and with both passes back. */
const [SPEED, FORWARD, UPDATE] = [4e10, 2, 6];

/** Whether a run takes seconds or minutes, by operations alone; texts are as long as they may be. */
const roughSeconds = (works: readonly Work[], { sample }: Texts, { threads }: Estimating): number => {
  const operations = works.map((work) => {
    const { trained = 0, asked = 0 } = work.effort;
    const [own, models] = [trainedIn(work), askedIn(work).filter((sized) => sized !== undefined)];
    const body = ({ size }: Sized): number => bodyParameters(size) * mostPositions(size, sample.maxLength);
    const training = own === undefined ? 0 : UPDATE * trained * body(own);
    return training + models.reduce((sum, sized) => sum + FORWARD * asked * body(sized), 0);
  });
  return operations.reduce((sum, one) => sum + one, 0) / (SPEED * threads);
};

/**
 * Estimates steps of which nothing is known here: each size of model is tried untrained, on texts of the lengths that the data has,
 * in a process of its own; what a text takes there, times the texts, is what a step should take.
 */
export const estimateSteps = async (options: Estimating): Promise<ReadonlyMap<string, StepEstimate>> => {
  const { plan, catalogue, wanted } = options;
  const config = plan.steps.find(({ id }) => id === plan.dataset)?.config;
  const started = performance.now();
  const dataset = await (options.read?.() ?? catalogue.readData?.(config, plan.base));
  if (dataset === undefined) return new Map();
  const reading = (performance.now() - started) / 1000;
  const texts = textsOf(dataset);
  const { models } = await foreseeRun(plan, catalogue, new Set());
  const worksBy = (lengths?: Lengths): readonly Work[] => {
    const known = { plan, catalogue, models, texts, ...(lengths === undefined ? {} : { lengths }) };
    return plan.steps.filter(({ id }) => wanted.has(id)).flatMap((step) => workOf(step, known) ?? []);
  };
  const uncounted = worksBy();
  if (options.least !== undefined && roughSeconds(uncounted, texts, options) < options.least) return new Map();
  const lengths = await lengthsOf(uncounted, texts, options);
  const works = worksBy(lengths);
  const shown = await tryAll(trialsOf(works), lengths, options);
  return new Map(
    works.map((work) => {
      const seconds = timeOf(work, shown);
      return [
        work.step.id,
        {
          seconds: work.step.id === plan.dataset && seconds !== null ? seconds + reading : seconds,
          memory: memoryOf(work, texts, shown),
          disk: diskOf(work, texts),
          saved: savedBy(work),
        },
      ];
    }),
  );
};
