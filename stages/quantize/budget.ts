import { stageError, type UserError } from '../../ground/errors.ts';
import type { Metric } from '../../ground/metrics/index.ts';
import type { DataTask } from '../../ground/tasks.ts';

/** Points of a hundred as people write them, such as `0.5pt`, as a share; undefined for anything else. */
export const pointsIn = (text: string): number | undefined => {
  const [, number] = /^(\d+(?:\.\d+)?)\s*(?:pt|pp|points)$/.exec(text.trim()) ?? [];
  return number === undefined ? undefined : Number(number) / 100;
};

/** What a file may lose, as people write it: points of a rate, or a number in the unit of another metric. */
export type MaxDrop = string | number;

/** Why a limit does not fit the metric of a task; undefined where it does. */
export const dropProblem = (
  asked: MaxDrop,
  { metric, words }: Pick<DataTask, 'metric' | 'words'>,
): string | undefined => {
  const { scale, words: own } = metric;
  const isRate = scale.gate.kind === 'rate';
  if (isRate === (typeof asked === 'string')) return undefined;
  const called = words.metric ?? own;
  return isRate
    ? `${called} is told in per cent: expected points such as ${scale.gate.change}, found ${asked}`
    : `${called} has no points: expected a number such as ${scale.gate.change}, found ${asked}`;
};

/** A limit in the unit of the metric. */
export const dropOf = (asked: MaxDrop): number => (typeof asked === 'number' ? asked : (pointsIn(asked) ?? Number.NaN));

const DIGITS = 3;

/** A drop as people read it: '0.52 points'. */
const writtenDrop = ({ scale }: Pick<Metric, 'scale'>, drop: number): string =>
  `${Number((scale.factor * drop).toPrecision(DIGITS))}${scale.changeUnit}`;

/** The same, not less than it is: what is allowed as it is written is allowed. */
const writtenLimit = (metric: Pick<Metric, 'scale'>, drop: number): string => {
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(drop))) - DIGITS + 1);
  return writtenDrop(metric, Number.isFinite(unit) && unit > 0 ? unit * Math.ceil(drop / unit - 1e-9) : drop);
};

/** Rounded up, so that what is written is enough. */
const writtenBytes = (bytes: number): string =>
  bytes < 1e6 ? `${Math.ceil(bytes / 1e3)}kB` : `${(Math.ceil(bytes / 1e4) / 100).toFixed(2)}MB`;

/** What a budget asks for: bytes of the file, or what it may lose in the unit of the metric, or both. */
export interface Budget {
  readonly bytes?: number;
  readonly maxDrop?: number;
}

/** Refuses a budget that everything in the fewest bits does not keep to. */
export const expectReachable = (smallest: number, budget: number): void => {
  if (smallest <= budget) return;
  throw stageError(
    `budget: ${writtenBytes(budget)} cannot be reached: with every weight in the fewest bits the file has ${writtenBytes(smallest)}; allow that, or cut the model first`,
  );
};

/** A plan that was verified. */
interface Verified {
  readonly bytes: number;
  readonly drop: { readonly estimate: number; readonly low: number; readonly high: number };
}

/** Even the widest plan loses too much, or may, as far as its texts tell. */
export const unreachable = (
  { maxDrop, bytes: allowed }: { readonly maxDrop: number; readonly bytes?: number | undefined },
  { bytes, drop }: Verified,
  { metric, answers, called }: { readonly metric: Metric; readonly answers: number; readonly called: string },
): UserError => {
  const write = (value: number): string => writtenDrop(metric, value);
  const plan =
    allowed === undefined ? 'with every weight in 8 bits' : `with the bits that fit into ${writtenBytes(allowed)}`;
  const wide = drop.estimate <= maxDrop;
  const known = Number.isFinite(drop.high)
    ? `the least that was reached is ${writtenLimit(metric, drop.high)}: ${plan} (${writtenBytes(bytes)}) ${metric.words} is worse by ${write(drop.estimate)} on ${answers} answers about ${called}, 95 % interval ${write(drop.low)} to ${write(drop.high)}`
    : `${answers} answers about ${called} tell no interval`;
  const advice = wide
    ? `these are too few to be surer: give more, or allow ${writtenLimit(metric, drop.high)}`
    : `allow ${writtenLimit(metric, drop.high)}, or take another format`;
  return stageError(
    `budget: a drop of ${write(maxDrop)} at most cannot be reached: ${known}; ${Number.isFinite(drop.high) ? advice : 'give more of them'}`,
  );
};
