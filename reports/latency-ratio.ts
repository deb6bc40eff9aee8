import type { LatencyReport, Report } from './report.ts';
import { type Side, stageIn } from './side.ts';
import type { Effect } from './statistics/effects.ts';
import { Z95 } from './statistics/intervals.ts';

/** Fewer rounds bound no median. */
const FEWEST_ROUNDS = 6;

/**
 * Deviation, in logarithms, between two measurements of one model on one machine beyond what the rounds of each show:
 * memory is laid out anew in every process. Measured by bench/diff.
 */
const BETWEEN_RUNS = 0.015;

/**
 * Share of a change of the machine's speed that dividing by the reference kernel does not take away: no kernel slows down
 * like every model. Measured by bench/diff.
 */
const LEFT_OF_SWING = 0.2;

/** Two latencies that can be compared, or why not. */
export type LatencyEffect =
  | { readonly kind: 'ratio'; readonly effect: Effect; readonly yardstick: string }
  | { readonly kind: 'refused'; readonly reason: string };

const refused = (reason: string): LatencyEffect => ({ kind: 'refused', reason });

type Environment = Report['environment'];

/** What makes another machine of one, as far as latency goes. */
export const machineDifference = (a: Environment, b: Environment): string | null => {
  if (a.cpu !== b.cpu) return `measured on another CPU: ${a.cpu} and ${b.cpu}`;
  const flags = (environment: Environment): string => environment.cpuFlags.toSorted().join(' ');
  if (flags(a) !== flags(b)) return `the CPUs have other instruction sets: ${flags(a)} and ${flags(b)}`;
  if (a.onnxruntime !== b.onnxruntime)
    return `measured with other versions of ONNX Runtime: ${a.onnxruntime} and ${b.onnxruntime}`;
  return null;
};

interface Known {
  readonly log: number;
  readonly error: number;
  readonly rounds: number;
}

/** A positive figure with a 95 % interval, on the logarithmic scale; null where it is no such thing. */
const known = (estimate: number, low: number, high: number, rounds: number): Known | null => {
  const finite = [estimate, low, high].every((x) => Number.isFinite(x) && x > 0);
  return finite ? { log: Math.log(estimate), error: Math.abs(Math.log(high / low)) / (2 * Z95), rounds } : null;
};

const relativeOf = ({ relative }: LatencyReport, rounds: number): Known | null =>
  relative === null ? null : known(relative.estimate, relative.low, relative.high, rounds);

const speedOf = ({ speedup, speedupInterval: at }: LatencyReport, rounds: number): Known | null =>
  speedup === null || at === null ? null : known(1 / speedup, 1 / at.high, 1 / at.low, rounds);

/**
 * Neighbouring rounds resemble each other: so many of them say as much as one that does not. Their correlation is 0.1 to
 * 0.2 on a shared machine, for which (1 + r) / (1 - r) is 1.2 to 1.5.
 */
const ALIKE = 1.5;

const degreesOf = ({ rounds }: Known): number => Math.max(1, (rounds - 1) / ALIKE);

/** The logarithm of `b` over `a`; degrees of freedom by Welch and Satterthwaite. */
const ratioEffect = (a: Known, b: Known, between: number, allowance: number): Effect => {
  const variances = [a, b].map(({ error }) => ALIKE * error ** 2);
  const sum = variances.reduce((total, variance) => total + variance, between ** 2);
  const spread = [a, b].reduce((total, one, i) => total + (variances[i] ?? 0) ** 2 / degreesOf(one), 0);
  const estimate = b.log - a.log;
  return {
    ...{ estimate, centre: estimate, allowance },
    error: Math.sqrt(sum),
    degrees: spread === 0 ? Number.POSITIVE_INFINITY : sum ** 2 / spread,
  };
};

const roundsOf = ({ report }: Side): number => report.measurement?.rounds ?? 0;

const tooFew = (rounds: number): LatencyEffect =>
  refused(`${rounds} rounds are too few to compare latency: set measure.rounds to ${FEWEST_ROUNDS} or more`);

/** A model that was measured in both runs is a reference kernel of its own. */
const sharedReference = (before: Side, after: Side): string | null => {
  const [a, b] = [before, after].map((side) => stageIn(side, side.report.reference ?? ''));
  return a?.model != null && a.model.sha256 === b?.model?.sha256 ? b.id : null;
};

/** Latency of a stage over that of another one of the same run: both against the reference of the same rounds. */
export const latencyWithin = (side: Side, cell: LatencyReport, versus: LatencyReport): LatencyEffect => {
  const rounds = roundsOf(side);
  if (rounds < FEWEST_ROUNDS) return tooFew(rounds);
  const [mine, theirs] = [speedOf(cell, rounds), speedOf(versus, rounds)];
  if (mine === null || theirs === null) return refused('a latency is missing or no positive number');
  return { kind: 'ratio', effect: ratioEffect(theirs, mine, 0, 0), yardstick: 'the same rounds' };
};

/**
 * Latency of a cell of one run over that of another run, each divided by the reference kernel of its own rounds. Refused
 * where machine, threads or runtime differ, or nothing was timed that both have in common.
 */
export const latencyBetween = (before: Side, was: LatencyReport, after: Side, now: LatencyReport): LatencyEffect => {
  const other = machineDifference(before.report.environment, after.report.environment);
  if (other !== null) return refused(other);
  const rounds = Math.min(roundsOf(before), roundsOf(after));
  if (rounds < FEWEST_ROUNDS) return tooFew(rounds);
  const [a, b] = [relativeOf(was, roundsOf(before)), relativeOf(now, roundsOf(after))];
  const kernels = [before, after].map(({ report }) => report.measurement?.referenceKernel ?? null);
  const [kernelA, kernelB] = kernels;
  if (a !== null && b !== null && kernelA != null && kernelA.name === kernelB?.name) {
    const swing = Math.abs(Math.log(kernelB.p50Ms / kernelA.p50Ms));
    const allowance = LEFT_OF_SWING * (Number.isFinite(swing) ? swing : 0);
    return { kind: 'ratio', effect: ratioEffect(a, b, BETWEEN_RUNS, allowance), yardstick: kernelA.name };
  }
  const shared = sharedReference(before, after);
  if (shared === null)
    return refused('no reference kernel was timed in both runs, and times of two days do not compare');
  const [mine, theirs] = [speedOf(was, roundsOf(before)), speedOf(now, roundsOf(after))];
  if (mine?.error === 0 && theirs?.error === 0)
    return refused(`${shared}, the same in both, is what the others are measured by`);
  return mine === null || theirs === null
    ? refused('a latency is missing or no positive number')
    : { kind: 'ratio', effect: ratioEffect(mine, theirs, BETWEEN_RUNS, 0), yardstick: `${shared}, the same in both` };
};
