import type { Interval } from '../statistics/intervals.ts';

/** Stage of this name in the report that a diff compares with. */
export const BASELINE = 'baseline';

export const gateFigures = [
  'accuracy',
  'cosine',
  'p50',
  'bytes',
  'gzipBytes',
  'brotliBytes',
  'parameters',
  'nonzero',
  'macs',
] as const;
export type GateFigure = (typeof gateFigures)[number];

export const gateLimits = ['min', 'max', 'maxDrop', 'maxRatio'] as const;

/** One limit that one figure of one stage must keep. Rates and drops 0 to 1, sizes in bytes, times in ms. */
export interface Gate {
  readonly stage: string;
  readonly figure: GateFigure;
  readonly limit: (typeof gateLimits)[number];
  readonly value: number;
  /** What a drop or ratio is taken against: a stage of the same report, or "baseline". */
  readonly versus: string | null;
  /** Of the interval that must lie on one side of the limit. */
  readonly confidence: number;
  /** Which latency; null for the first measured one. */
  readonly batch: number | null;
  readonly length: number | null;
}

/** A gate as it was judged. Undecided: the interval holds the limit, or a figure is missing. */
export interface GateReport extends Gate {
  readonly outcome: 'passed' | 'failed' | 'undecided';
  /** What is held against the limit, in its unit; null where it is not known. */
  readonly found: Interval | null;
  /** Why it could not be judged; empty where it was. */
  readonly reason: string;
}

/** Whether gates let something pass; `strict` wants every gate decided. */
export const gatesFail = (gates: readonly GateReport[], strict: boolean): boolean =>
  gates.some(({ outcome }) => outcome === 'failed' || (strict && outcome === 'undecided'));
