import type { Batch } from '../data/batches.ts';
import { tensorOf } from '../graph/tensor.ts';
import { nonFinite } from '../models/finite.ts';
import type { Precision } from './precision.ts';
import type { Trained } from './training-state.ts';
import { isFiniteOutcome, type Outcome } from './updater.ts';

/** An update whose loss or gradient is no number, and what can be computed again of it. */
export interface Diverged {
  readonly outcome: Outcome;
  /** What it was computed in. */
  readonly precision?: Precision | undefined;
  readonly trained: readonly Trained[];
  readonly batches: readonly Batch[];
  /** One of its batches again in float32, with the weights of now or those that training began with. */
  replay(batch: readonly [number, Batch], from: 'now' | 'start'): Promise<Outcome>;
}

/** Where numbers that are none come from, as far as it can be found out. */
export interface Divergence {
  /** The losses that are no numbers, or the gradient where all of them are. */
  readonly what: string;
  /** A weight that is no number any more: nothing that is computed with it says anything. */
  readonly weight?: string | undefined;
  /** A text that gives them by itself, and whether the rest of its batch does not. */
  readonly text?: { readonly row: number; readonly alone: boolean } | undefined;
  /** Whether the weights that training began with give them for the same batch; unknown where no batch gives them again. */
  readonly fromStart?: boolean;
  /** In float32 the same batches give numbers. */
  readonly onlyInFloat16?: true;
}

const whatOf = ({ loss, terms, norm }: Outcome): string => {
  if (Number.isFinite(loss)) return `the gradient became ${norm}, while the loss is ${Number(loss.toPrecision(3))},`;
  const bad = Object.keys(terms).filter((name) => !Number.isFinite(terms[name]));
  const good = Object.keys(terms).filter((name) => !bad.includes(name));
  const which = bad.length === 0 ? 'the sum of all' : bad.join(' and ');
  return `the loss became ${loss} (${which}${good.length === 0 ? '' : `; ${good.join(' and ')} stayed finite`})`;
};

/** A text of a batch that is bad by itself, found by halving; none where only the batch as a whole is. */
const textIn = async (batch: Batch, isBad: (part: Batch) => Promise<boolean>): Promise<Divergence['text']> => {
  let [rows, alone] = [batch.rows, true];
  while (rows.length > 1) {
    const middle = rows.length >> 1;
    const [first, second] = [rows.subarray(0, middle), rows.subarray(middle)];
    const [inFirst, inSecond] = [await isBad({ ...batch, rows: first }), await isBad({ ...batch, rows: second })];
    if (!inFirst && !inSecond) return undefined;
    alone = alone && inFirst !== inSecond;
    rows = inFirst ? first : second;
  }
  const [row] = rows;
  return row === undefined ? undefined : { row, alone };
};

/** Looks for the cause: in the weights, in what training made of them, and in single texts. */
export const divergenceOf = async ({ outcome, precision, trained, batches, replay }: Diverged): Promise<Divergence> => {
  const what = whatOf(outcome);
  for (const { name, dims, data } of trained) {
    const weight = nonFinite(name, tensorOf('float32', dims, data));
    if (weight !== undefined) return { what, weight };
  }
  for (const [pass, batch] of batches.entries()) {
    const isBad = async (part: Batch): Promise<boolean> => !isFiniteOutcome(await replay([pass, part], 'now'));
    if (!(await isBad(batch))) continue;
    const fromStart = !isFiniteOutcome(await replay([pass, batch], 'start'));
    return { what, text: await textIn(batch, isBad), fromStart };
  }
  return precision === 'fp16' ? { what, onlyInFloat16: true } : { what };
};

interface Told {
  /** Which step of how many. */
  readonly at: string;
  readonly isFirst: boolean;
  readonly rate: number;
  readonly called: (text: number) => string;
  /** Where the weights before the step are kept. */
  readonly folder: string;
}

const textsOf = ({ text }: Divergence, called: Told['called']): string => {
  if (text === undefined) return 'the texts of that step';
  return text.alone ? called(text.row) : `several texts of that step, ${called(text.row)} among them,`;
};

/** No training is at fault: the model itself gives no numbers for these texts. */
const fromModel = (divergence: Divergence, { called }: Told): string => {
  const remedy = divergence.text?.alone
    ? 'leave that text out, or start from another model'
    : 'start from another model';
  return (
    'the learning rate has no part in it. The weights are finite, so what the model computes of ' +
    `${textsOf(divergence, called)} grows beyond what floats hold: ${remedy}`
  );
};

const moved = (divergence: Divergence, { called }: Told): string =>
  divergence.fromStart === undefined
    ? 'No batch of that step gives it again by itself, so the cause is not known'
    : `The weights that training began with give finite numbers for the same texts, those of now do not for ${textsOf(divergence, called).replace(/,$/, '')}: training moved them too far`;

/** What is known of a divergence, and what to do; the learning rate is blamed where nothing else can be the cause. */
export const divergenceText = (divergence: Divergence, told: Told): string => {
  const { what, weight, fromStart } = divergence;
  const { at, isFirst, rate, folder } = told;
  if (weight !== undefined) {
    return (
      `${what} at ${at}, since ${weight}. The step before left it so, though its loss and gradient were finite: ` +
      'whether the learning rate has a part in it is not known. That state is not kept'
    );
  }
  if (divergence.onlyInFloat16 === true) {
    return (
      `${what} at ${at} in float16, whose numbers end at 65504; in float32 the same texts give finite numbers. Leave ` +
      `'precision: fp16' out. The weights before that step are kept in ${folder}`
    );
  }
  if (isFirst) return `${what} at ${at}, before any weight was moved: ${fromModel(divergence, told)}`;
  if (fromStart === true) {
    return `${what} at ${at}, and so it does with the weights that training began with: ${fromModel(divergence, told)}`;
  }
  return (
    `${what} at ${at}, with a learning rate of ${Number(rate.toPrecision(3))}. ${moved(divergence, told)}. Lower learningRate, ` +
    `or lengthen warmup. The weights before that step are kept in ${folder}`
  );
};
