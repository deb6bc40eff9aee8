import { quantile } from '../data/statistics/quantiles.ts';

/**
 * Share of a turn without a processor up to which it counts as undisturbed. Clock ticks and the system's own work take 0 to
 * 2 %; another process that wants the core takes 2 to 4 ms at a time, out of turns of 2 to 8.
 */
const MOST_WAITED = 0.05;

interface Turn {
  readonly waited: number;
}

export const isUndisturbed = ({ waited }: Turn): boolean => waited <= MOST_WAITED;

/**
 * Of fewer undisturbed turns than this share nothing is said: those that are left ran on caches that other work had emptied,
 * which no clock corrects (docs/decisions/busy-machine.md).
 */
const LEAST_UNDISTURBED = 0.5;

/** 1 where there are no turns. */
export const undisturbedShare = (turns: readonly Turn[]): number =>
  turns.length === 0 ? 1 : turns.filter(isUndisturbed).length / turns.length;

/** Whether other work had the processor in too many of some turns. */
export const isBusy = (turns: readonly Turn[]): boolean => undisturbedShare(turns) < LEAST_UNDISTURBED;

/** Of fewer rounds the tails say little. */
const LEAST_ROUNDS = 8;

/**
 * Ratio of the slow to the quick rounds of a model (90th to 10th percentile) above which something else than the model decides
 * them. On a quiet machine it is 1.04 to 1.5; where another tenant of the same hardware had the memory 1.5 to 4.4, with a
 * processor that was never taken away (docs/decisions/busy-machine.md).
 */
const MOST_SWING = 2;

/** Whether the times of a model's rounds, in milliseconds, are too far apart. */
export const swings = (rounds: readonly number[]): boolean =>
  rounds.length >= LEAST_ROUNDS && quantile(rounds, 0.9) > MOST_SWING * quantile(rounds, 0.1);
