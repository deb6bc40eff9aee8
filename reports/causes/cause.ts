import type { Counterfactual, ModelProfile, Profile, Timed } from '../../data/profile.ts';
import { medianInterval, quantile } from '../../data/statistics/quantiles.ts';
import { firstFew } from '../../ground/names.ts';
import { isUndisturbed, undisturbedShare } from '../disturbed.ts';
import { milliseconds, percent } from '../figures.ts';
import type { Done } from './done.ts';

/** What a rule looks at: one model of a profile. */
interface Case {
  readonly profile: Profile;
  readonly model: ModelProfile;
}

interface Found {
  readonly finding: string;
  readonly evidence: string;
  /** Of the time or bytes it is about, 0 to 1; null where nothing was measured. */
  readonly share: number | null;
}

/** One reason why a model is not faster or smaller. */
export interface Cause {
  readonly name: string;
  readonly about: 'time' | 'bytes';
  /** One line each, for the documentation and the report. */
  readonly looksAt: string;
  readonly advice: string;
  /** The same where a run has done some of it already. */
  advise?(done: Done): string;
  find(at: Case): Found | undefined;
}

/** What a changed graph takes less, from paired rounds. */
export interface Saving {
  readonly before: number;
  readonly after: number;
  /** Milliseconds with the least they are at 95 %, and as a share of the time before, with its 95 % interval. */
  readonly ms: number;
  readonly leastMs: number;
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

const median = (values: readonly number[]): number => quantile(values, 0.5);

/**
 * Turns of 2 ms fit between two interruptions: with six processes a core half of them are undisturbed, on an idle machine
 * nearly all.
 */
const LEAST_UNDISTURBED = 0.75;

/** Whether other work had the processor so often that one of the times of a model tells nothing. */
export const isDisturbed = ({ times }: ModelProfile): boolean =>
  Object.values(times).some(
    ({ waited }) => undisturbedShare(waited.map((share) => ({ waited: share }))) < LEAST_UNDISTURBED,
  );

/** Milliseconds by round; no number where other work had the processor. */
export const roundsOf = ({ ms, waited }: Timed): readonly number[] =>
  ms.map((x, round) => (isUndisturbed({ waited: waited[round] ?? 0 }) ? x : Number.NaN));

/** Time of one counterfactual in milliseconds; undefined where there was nothing of the kind to change. */
export const timeOf = ({ times }: ModelProfile, name: Counterfactual): number | undefined => {
  const timed = times[name];
  return timed === undefined ? undefined : median(roundsOf(timed).filter(Number.isFinite));
};

/** The least that a time is at 95 %. */
export const leastOf = ({ times }: ModelProfile, name: Counterfactual): number | undefined => {
  const timed = times[name];
  return timed === undefined ? undefined : medianInterval(roundsOf(timed).filter(Number.isFinite)).low;
};

/** Paired rounds of two times, those that were undisturbed in both. */
export const intervalOf = (before: readonly number[], after: readonly number[]): Saving => {
  const pairs = before.flatMap((x, round) => {
    const y = after[round] ?? Number.NaN;
    return Number.isFinite(x) && Number.isFinite(y) ? [[x, y] as const] : [];
  });
  const ms = pairs.map(([x, y]) => x - y);
  const shares = pairs.map(([x, y]) => (x - y) / x);
  return {
    before: median(pairs.map(([x]) => x)),
    after: median(pairs.map(([, y]) => y)),
    ms: median(ms),
    leastMs: medianInterval(ms).low,
    share: median(shares),
    ...medianInterval(shares),
  };
};

/** What a change saves; undefined where there was nothing to change. */
export const savingOf = (
  { times }: ModelProfile,
  changed: Counterfactual,
  from: Counterfactual = 'full',
): Saving | undefined => {
  const [before, after] = [times[from], times[changed]];
  return before === undefined || after === undefined ? undefined : intervalOf(roundsOf(before), roundsOf(after));
};

/** Below this share of the time nobody would act. */
const LEAST_SHARE = 0.02;

/** Whether a change saves time beyond noise, and enough to act. */
export const matters = (saving: Saving | undefined): saving is Saving =>
  saving !== undefined && saving.low > 0 && saving.share >= LEAST_SHARE;

/** How a saving is written as evidence. */
export const written = (what: string, { before, after, low, high }: Saving): string =>
  `${what} takes ${milliseconds(after)} ms instead of ${milliseconds(before)} ms: ${percent(low)} to ${percent(high)} % less`;

const LISTED = 3;

/** The first few of a list. */
export const listed = (names: readonly string[]): string => firstFew(names, LISTED);

const integerTypes: ReadonlySet<string> = new Set(['int8', 'uint8']);

export const isInteger = ({ dtype }: { readonly dtype: string }): boolean => integerTypes.has(dtype);
