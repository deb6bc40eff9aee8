import { criticalValue } from '../data/statistics/distributions.ts';
import type { Effect } from '../data/statistics/effects.ts';
import { type Bounds, Z95 } from '../data/statistics/intervals.ts';
import { quantile } from '../data/statistics/quantiles.ts';
import { engineText, firstEngine } from './engines.ts';
import type { LatencyReport, MeasuredOn, Report } from './report.ts';
import { type Side, sameCell, stageIn } from './side.ts';
import { MEASURED_BUSY } from './speed.ts';

/** Of one process: fewer bound no median. */
const FEWEST_ROUNDS = 6;

/**
 * Deviation, in logarithms, between two measurements of one model on one machine beyond what the rounds of each show:
 * memory is laid out anew in every process. 24 processes that measured the same models differed by 0.01 to 0.02.
 */
const BETWEEN_RUNS = 0.02;

/** Two latencies that can be compared, or why not. */
export type LatencyEffect =
  | { readonly kind: 'ratio'; readonly effect: Effect; readonly yardstick: string }
  | { readonly kind: 'refused'; readonly reason: string };

const refused = (reason: string): LatencyEffect => ({ kind: 'refused', reason });

/** Times that other work made longer bound nothing. */
const busyRefusal = (cells: readonly LatencyReport[]): LatencyEffect | null =>
  cells.some(({ busy }) => busy) ? refused(MEASURED_BUSY) : null;

type Environment = Report['environment'];

/** What makes another machine of one, as far as latency goes. */
const machineDifference = (a: Environment, b: Environment): string | null => {
  if (a.cpu !== b.cpu) return `measured on another CPU: ${a.cpu} and ${b.cpu}`;
  const flags = (environment: Environment): string => environment.cpuFlags.toSorted().join(' ');
  if (flags(a) !== flags(b)) return `the CPUs have other instruction sets: ${flags(a)} and ${flags(b)}`;
  if (a.onnxruntime !== b.onnxruntime)
    return `measured with other versions of ONNX Runtime: ${a.onnxruntime} and ${b.onnxruntime}`;
  return null;
};

type On = MeasuredOn | undefined;

const nameOf = (on: On): string => (on === undefined ? 'the CPU' : engineText(on));

/** Every engine has its own times, and so has every device, driver and version. */
const engineDifference = (a: On, b: On): string | null => {
  if (nameOf(a) !== nameOf(b)) return `measured on other engines: ${nameOf(a)} and ${nameOf(b)}`;
  const versions = (on: On): string =>
    Object.entries(on?.versions ?? {})
      .toSorted()
      .flat()
      .join(' ');
  return versions(a) === versions(b)
    ? null
    : `measured with other versions on ${nameOf(a)}: ${versions(a)} and ${versions(b)}`;
};

/** A figure on the logarithmic scale with its standard error. */
interface Known {
  readonly log: number;
  readonly error: number;
  readonly degrees: number;
}

/**
 * Neighbouring rounds of one process resemble each other: so many of them say as much as one that does not. Their
 * correlation is 0.1 to 0.2 on a shared machine, for which (1 + r) / (1 - r) is 1.2 to 1.5.
 */
const ALIKE = 1.5;

/** How a run's 95 % intervals came about: from differences between processes, or between the rounds of the only one. */
interface Sampling {
  readonly z: number;
  readonly degrees: number;
  readonly inflation: number;
}

const samplingOf = ({ report }: Side): Sampling => {
  const { rounds, processes } = report.measurement ?? { rounds: 0, processes: 0 };
  return processes > 1
    ? { z: criticalValue(0.05, processes - 1), degrees: processes - 1, inflation: 1 }
    : { z: Z95, degrees: Math.max(1, (rounds - 1) / ALIKE), inflation: ALIKE };
};

/** Null for what is no positive figure with an interval. */
const known = (estimate: number, { low, high }: Bounds, side: Side): Known | null => {
  if (![estimate, low, high].every((x) => Number.isFinite(x) && x > 0)) return null;
  const { z, degrees, inflation } = samplingOf(side);
  const error = (Math.sqrt(inflation) * Math.abs(Math.log(high / low))) / (2 * z);
  return { log: Math.log(estimate), error, degrees };
};

const relativeOf = ({ relative }: LatencyReport, side: Side): Known | null =>
  relative === null ? null : known(relative.estimate, relative, side);

const plainOf = ({ p50Ms, p50Interval }: LatencyReport, side: Side): Known | null => known(p50Ms, p50Interval, side);

const speedOf = ({ speedup, speedupInterval: at }: LatencyReport, side: Side): Known | null =>
  speedup === null || at === null ? null : known(1 / speedup, { low: 1 / at.high, high: 1 / at.low }, side);

/** The logarithm of `b` over `a`; degrees of freedom by Welch and Satterthwaite. */
const estimateOf = (a: Known, b: Known, between: number): Known => {
  const sum = a.error ** 2 + b.error ** 2 + between ** 2;
  const spread = a.error ** 4 / a.degrees + b.error ** 4 / b.degrees;
  const degrees = spread === 0 ? Number.POSITIVE_INFINITY : sum ** 2 / spread;
  return { log: b.log - a.log, error: Math.sqrt(sum), degrees };
};

/** Fewer models say nothing about how they scatter. */
const FEWEST_SHARED = 3;

/** Latency in units of the kernel where it was timed. */
const figureOf = ({ relative, p50Ms }: LatencyReport): number => relative?.estimate ?? p50Ms;

/** Logarithms of B over A of every other stage whose model is the same, byte for byte, at the batch and length of a cell. */
const sharedLogs = (before: Side, after: Side, cell: LatencyReport, id: string): readonly number[] =>
  after.report.stages.flatMap((stage) => {
    const was = stageIn(before, stage.id);
    if (stage.id === id || stage.model === null || stage.model.sha256 !== was?.model?.sha256) return [];
    const [a, b] = [sameCell(was, cell), sameCell(stage, cell)];
    const log =
      a === undefined || b === undefined || a.busy || b.busy ? Number.NaN : Math.log(figureOf(b) / figureOf(a));
    return Number.isFinite(log) ? [log] : [];
  });

/**
 * What the same model on the same machine differs by between the two runs: at least BETWEEN_RUNS, and as much as the other
 * models that did not change scatter around their median. Work beside a measurement slows one model down and not another.
 */
const betweenRuns = (before: Side, after: Side, cell: LatencyReport, id: string): number => {
  const logs = sharedLogs(before, after, cell, id);
  if (logs.length < FEWEST_SHARED) return BETWEEN_RUNS;
  const middle = quantile(logs, 0.5);
  const scatter = logs.reduce((sum, log) => sum + (log - middle) ** 2, 0) / (logs.length - 1);
  return Math.max(BETWEEN_RUNS, Math.sqrt(scatter));
};

/** Confidence of the second estimate, which only has to agree with the first. */
const AGREES = 0.8;

const marginsOf = ({ log, error, degrees }: Known): Bounds => {
  const half = criticalValue(1 - AGREES, degrees) * error;
  return { low: log - half, high: log + half };
};

/**
 * The divided ratio, bounded by the surer of it and the plain one, and holding both: a kernel may itself have had a slow
 * day, and a model never feels exactly as much of the machine as a kernel does.
 */
const bounded = (divided: Known, plain: Known): Effect => {
  const [surer, other] = divided.error <= plain.error ? [divided, plain] : [plain, divided];
  return {
    ...{ estimate: divided.log, centre: surer.log, also: marginsOf(other) },
    ...{ error: surer.error, degrees: surer.degrees },
  };
};

/** One process with hardly any rounds bounds no median. */
const tooFew = ({ report }: Side): LatencyEffect | null => {
  const { rounds, processes } = report.measurement ?? { rounds: 0, processes: 0 };
  return processes > 1 || rounds >= FEWEST_ROUNDS
    ? null
    : refused(`${rounds} rounds are too few to compare latency: set measure.rounds to ${FEWEST_ROUNDS} or more`);
};

/** A model that was measured in both runs is a reference kernel of its own. */
const sharedReference = (before: Side, after: Side): string | null => {
  const [a, b] = [before, after].map((side) => stageIn(side, side.report.reference ?? ''));
  return a?.model != null && a.model.sha256 === b?.model?.sha256 ? b.id : null;
};

/** Latency of a stage over that of another one of the same run: both against the reference of the same rounds. */
export const latencyWithin = (side: Side, cell: LatencyReport, versus: LatencyReport): LatencyEffect => {
  const unusable = tooFew(side) ?? busyRefusal([cell, versus]);
  if (unusable !== null) return unusable;
  const [mine, theirs] = [speedOf(cell, side), speedOf(versus, side)];
  if (mine === null || theirs === null) return refused('a latency is missing or no positive number');
  const { log, error, degrees } = estimateOf(theirs, mine, 0);
  return {
    kind: 'ratio',
    effect: { estimate: log, centre: log, also: null, error, degrees },
    yardstick: 'the same rounds',
  };
};

interface Yardstick {
  readonly name: string;
  /** A latency in its unit. */
  of(cell: LatencyReport, side: Side): Known | null;
}

const kernelOf = ({ report }: Side): string | undefined => report.measurement?.referenceKernel?.name;

/** What both runs timed beside their models: the reference kernel, else a model that is the same in both. */
const yardstickOf = (before: Side, after: Side, cells: readonly LatencyReport[]): Yardstick | null => {
  const kernel = kernelOf(before);
  const timed = cells.every(({ relative }) => relative !== null);
  if (kernel !== undefined && kernel === kernelOf(after) && timed) return { name: kernel, of: relativeOf };
  const shared = sharedReference(before, after);
  return shared === null ? null : { name: `${shared}, the same in both`, of: speedOf };
};

/**
 * Latency of a cell of a stage of one run (`id` in the second) over that of another run, each divided by what was timed in its own rounds. Refused where
 * machine, threads or runtime differ, or nothing was timed that both have in common.
 */
export const latencyBetween = (
  before: Side,
  was: LatencyReport,
  after: Side,
  now: LatencyReport,
  id: string,
): LatencyEffect => {
  const other =
    machineDifference(before.report.environment, after.report.environment) ??
    engineDifference(firstEngine(before.report), firstEngine(after.report));
  if (other !== null) return refused(other);
  const unusable = tooFew(before) ?? tooFew(after) ?? busyRefusal([was, now]);
  if (unusable !== null) return unusable;
  const yardstick = yardstickOf(before, after, [was, now]);
  if (yardstick === null)
    return refused('no reference kernel was timed in both runs, and times of two days do not compare');
  const [a, b] = [yardstick.of(was, before), yardstick.of(now, after)];
  const [plainA, plainB] = [plainOf(was, before), plainOf(now, after)];
  if (a === null || b === null || plainA === null || plainB === null)
    return refused('a latency is missing or no positive number');
  if (a.error === 0 && b.error === 0) return refused(`${yardstick.name}, is what the others are measured by`);
  const between = betweenRuns(before, after, now, id);
  const effect = bounded(estimateOf(a, b, between), estimateOf(plainA, plainB, between));
  return { kind: 'ratio', effect, yardstick: yardstick.name };
};
