import type { Interval } from '../../data/statistics/intervals.ts';
import type { Json } from '../../ground/json.ts';
import type { DatasetTask } from '../../ground/tasks.ts';
import type { GateReport } from '../gates/gate.ts';

/** Differences between two runs. Rates are 0 to 1, ratios B over A, sizes in bytes. */
export interface Diff {
  readonly schema: 'decant.diff/1';
  readonly before: RunName;
  readonly after: RunName;
  /** Differences inside of these bands do not matter: a rate for quality, a share for latency. */
  readonly bands: Bands;
  /** What B's models do, which decides how their quality is called. */
  readonly task: DatasetTask;
  /** How many comparisons the intervals are corrected for. */
  readonly comparisons: number;
  /** What is not of one stage: seed, data, environment, measurement. */
  readonly changes: readonly Change[];
  readonly stages: readonly StageDiff[];
  readonly gates: readonly GateReport[];
}

export interface RunName {
  /** As it was asked for. */
  readonly where: string;
  readonly name: string;
  readonly created: string;
}

export interface Bands {
  readonly latency: number;
  readonly quality: number;
}

/** Something that is as it is, without noise; null where it is not there. */
export interface Change {
  readonly key: string;
  readonly before: Json;
  readonly after: Json;
}

export interface StageDiff {
  /** In the second report; in the first where it was removed. */
  readonly id: string;
  /** In the first report; null where it was added. */
  readonly was: string | null;
  readonly kind: 'same' | 'renamed' | 'added' | 'removed';
  readonly uses: string;
  /** Version, inputs and options, by key. */
  readonly changes: readonly Change[];
  readonly sizes: readonly Change[];
  /** Layers, heads, neurons, width. */
  readonly structure: readonly Change[];
  readonly findings: readonly Finding[];
  /** What was not compared, and why. */
  readonly refusals: readonly Refusal[];
  /** Names of causes of slowness. */
  readonly causes: { readonly appeared: readonly string[]; readonly vanished: readonly string[] };
}

export type Verdict = 'better' | 'worse' | 'noise';

interface Compared {
  readonly before: number;
  readonly after: number;
  /** Difference of quality, or ratio of latency, with an interval corrected for the number of comparisons. */
  readonly difference: Interval;
  /** Two-sided, of a difference within the band; not corrected. */
  readonly p: number;
  readonly verdict: Verdict;
}

interface QualityFinding extends Compared {
  readonly kind: 'quality';
  /** Name of the metric. */
  readonly figure: string;
  readonly paired: boolean;
  readonly flips: { readonly gained: number; readonly lost: number } | null;
}

interface LatencyFinding extends Compared {
  readonly kind: 'latency';
  readonly figure: 'p50';
  readonly batch: number;
  readonly length: number;
  /** What both were divided by. */
  readonly yardstick: string;
}

export type Finding = QualityFinding | LatencyFinding;

interface Refusal {
  readonly kind: Finding['kind'];
  readonly figure: string;
  readonly reason: string;
}

export const isClear = ({ verdict }: Finding): boolean => verdict !== 'noise';
