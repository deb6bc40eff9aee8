import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TrainingNeed } from '../../engine/memory/training.ts';
import type { UpdatesTaken } from '../../engine/rehearsal/updates.ts';
import { weightBytes } from '../../graph/codec/index.ts';
import { isUserError, messageOf } from '../../ground/errors.ts';
import type { Progress } from '../../ground/progress.ts';
import type { Model } from '../../models/model.ts';
import { cacheByFormula, secondsOf } from '../../models/work.ts';
import type { BesideRates } from '../../stages/measure/rates.ts';
import { requestError } from '../diagnostic.ts';
import { type Given, passEstimate, sizesOfWeights, stateOf, updateEstimate } from '../estimate/formulas.ts';
import { measurePasses, measureUpdates, type Passes } from '../estimate/measured.ts';
import { rememberedBytes, writerOf } from '../estimate/subject.ts';
import { limited } from '../guard/limits.ts';
import { isOffline } from './offline.ts';
import { openModel } from './open.ts';
import type {
  Estimate,
  EstimatedFigure,
  EstimatedTokens,
  EstimatedTraining,
  EstimateOptions,
} from './types/estimates.ts';

const usual = { batch: 1, threads: 1, measure: true, train: false };
const USUAL_LENGTH = 128;

/** What is settled. */
interface Estimating
  extends Required<Omit<EstimateOptions, 'dtype' | 'tokens'>>,
    Pick<EstimateOptions, 'dtype' | 'tokens'> {
  emit(progress: Progress): void;
}

/** A model as it was named, and why it cannot be run where it cannot. */
interface Opened extends Given {
  readonly why?: string;
}

const figure = (estimated: number, measured: number | undefined | null): EstimatedFigure => ({
  estimated,
  measured: measured ?? null,
  ratio: measured == null || estimated === 0 ? null : measured / estimated,
});

/** Lets `use` work with a model; of a graph whose inputs nobody knows with the graph alone. */
const withOpened = async <T>(
  path: string,
  { dtype }: Pick<EstimateOptions, 'dtype'>,
  use: (opened: Opened) => Promise<T>,
): Promise<T> => {
  if (/\.ya?ml$/i.test(path)) throw requestError(`${path}: is no model; decant plan says what a pipeline takes`);
  const entry = await stat(path).catch(() => undefined);
  let why: string | undefined;
  if (entry !== undefined) {
    try {
      const { model } = await openModel(path, dtype === undefined ? {} : { dtype });
      return await use({ graph: model.graph, model });
    } catch (error) {
      if (!entry.isFile() || !isUserError(error)) throw error;
      why = messageOf(error);
    }
  }
  const { withForeign } = await import('./foreign.ts');
  return await withForeign(path, { offline: isOffline({}) }, async ({ given, around }) =>
    around.kind === 'bare'
      ? await use({ graph: given, ...(why === undefined ? {} : { why }) })
      : await use({ graph: around.model.graph, model: around.model }),
  );
};

const expectTaken = (path: string, model: Model, { length, tokens }: Estimating): void => {
  const { maxLength } = model.info;
  if (length > maxLength) {
    throw requestError(`${path}: takes at most ${maxLength} tokens, and --length asks for ${length}`);
  }
  if (tokens === undefined) return;
  if (writerOf(model) === undefined) {
    throw requestError(`${path}: is made for ${model.info.task} and writes no tokens; leave --tokens out`);
  }
  if (length + tokens > maxLength) {
    throw requestError(
      `${path}: takes at most ${maxLength} tokens, and --length and --tokens ask for ${length + tokens}`,
    );
  }
};

/** What was measured of a model. */
interface Measured {
  readonly beside?: BesideRates;
  readonly updates?: UpdatesTaken;
}

const NAMES = { pass: 'pass', token: 'new token' } as const;

const passesOf = (model: Model, { batch, length }: Estimating): Passes => {
  const writer = writerOf(model);
  return {
    [NAMES.pass]: { model, reach: { batch, length, past: 0 } },
    ...(writer === undefined ? {} : { [NAMES.token]: { model: writer, reach: { batch, length: 1, past: length } } }),
  };
};

const measured = async ({ graph, model }: Given, options: Estimating): Promise<Measured> => {
  const { measure, train, batch, length, threads, signal, emit } = options;
  if (model === undefined || !measure) return {};
  const { renew } = await limited(() => ({ files: weightBytes(graph), rows: batch, longest: length }));
  const folder = await mkdtemp(join(tmpdir(), 'decant-estimate-'));
  const progress = (made: Progress): void => {
    renew();
    emit(made);
  };
  try {
    const beside = await measurePasses(passesOf(model, options), threads, folder, { signal, progress });
    if (!train) return { beside };
    progress({ done: 0, total: 1, unit: 'updates' });
    return { beside, updates: await measureUpdates(model, { batch, length, threads }, folder, signal) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const MS = 1000;
const FLOAT_BYTES = 4;
/** What AdamW on the host takes of a parameter, in activations of an element: its norm, its step and both moments. */
const ADAMW = 6;

/** Seconds of an update, whose products are large where those of the pass are. */
const secondsOfUpdate = (need: TrainingNeed, { rates }: BesideRates): number =>
  secondsOf(
    { flops: 2 * need.macs, bytes: 0, elements: need.elements + (ADAMW * need.gradients) / FLOAT_BYTES },
    rates,
  );

const trainingOf = (
  given: Given,
  options: Estimating,
  { beside, updates }: Measured,
): { readonly training: EstimatedTraining; readonly why?: string } => {
  const pass = passEstimate(given, { ...options, past: 0 });
  const { need, why } = updateEstimate(given, options);
  const state = need ?? stateOf(sizesOfWeights(given).parameters);
  const seconds = beside === undefined || need === undefined ? undefined : secondsOfUpdate(need, beside);
  const alone = beside?.alone ?? 0;
  const training: EstimatedTraining = {
    flops: figure(pass.work.training, need === undefined ? null : 2 * need.macs),
    ...{ gradients: state.gradients, optimizer: state.optimizer },
    ...{ activations: need?.activations ?? null, recomputed: need?.recomputed ?? null },
    bytes: need === undefined ? null : figure(need.process, updates === undefined ? null : updates.peakBytes - alone),
    milliseconds: seconds === undefined ? null : figure(MS * seconds, updates?.milliseconds),
  };
  return { training, ...(why === undefined ? {} : { why: `training was not estimated: ${why}` }) };
};

const tokensOf = (
  { model }: Given,
  { batch, length, tokens }: Estimating,
  { beside }: Measured,
): EstimatedTokens | null => {
  const writer = model === undefined ? undefined : writerOf(model);
  if (writer === undefined) return null;
  const msAt = (past: number): number | null =>
    beside === undefined
      ? null
      : MS *
        secondsOf(
          passEstimate({ graph: writer.graph, model: writer }, { batch, length: 1, past }).amounts,
          beside.rates,
        );
  const [ms, middle] = [msAt(length), msAt(length + Math.floor((tokens ?? 0) / 2))];
  const past = length + (tokens ?? 0);
  const cacheOfToken = cacheByFormula(writer.graph);
  return {
    cacheOfToken,
    cache: figure(batch * past * cacheOfToken, rememberedBytes(writer.info, { batch, length: 1, past })),
    milliseconds: ms === null ? null : figure(ms, beside?.models[NAMES.token]?.ms),
    seconds: middle === null || tokens === undefined ? null : (tokens * middle) / MS,
  };
};

const estimated = async (path: string, opened: Opened, options: Estimating): Promise<Estimate> => {
  const { model, why } = opened;
  if (model !== undefined) expectTaken(path, model, options);
  const { batch, length, threads } = options;
  const pass = passEstimate(opened, { batch, length, past: 0 });
  const found = await measured(opened, options);
  const { training, why: untrained } = trainingOf(opened, options, found);
  const { beside } = found;
  const ran = beside?.models[NAMES.pass];
  return {
    model: path,
    ...(model === undefined ? {} : { task: model.info.task }),
    ...{ batch, length, threads },
    ...sizesOfWeights(opened),
    work: pass.work,
    flops: figure(pass.work.forward, pass.counted),
    rates: beside?.rates ?? null,
    milliseconds: beside === undefined ? null : figure(MS * secondsOf(pass.amounts, beside.rates), ran?.ms),
    bytes: figure(pass.bytes, ran?.bytes),
    training,
    newTokens: tokensOf(opened, options, found),
    notes: [
      ...(why === undefined ? [] : [`nothing was measured: ${why}`]),
      ...(untrained === undefined ? [] : [untrained]),
    ],
  };
};

/** What a model takes by formula, beside what it took. */
export const estimateModel = async (
  path: string,
  options: EstimateOptions,
  emit: (progress: Progress) => void,
): Promise<Estimate> => {
  if (options.train === true && options.measure === false) {
    throw requestError('--train measures updates, and --no-measure runs nothing; leave one of them out');
  }
  const settled = { ...usual, signal: new AbortController().signal, ...options, emit };
  return await withOpened(path, settled, (opened) => {
    const most = opened.model?.info.maxLength ?? USUAL_LENGTH;
    return estimated(path, opened, { length: Math.min(USUAL_LENGTH, most), ...settled });
  });
};
