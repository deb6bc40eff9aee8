import { UserError } from '../../ground/errors.ts';
import type { Comparison } from '../../reports/comparison/comparison.ts';
import type { Report } from '../../reports/report.ts';

/** Where a run stopped, and what it leaves. */
interface Stopped {
  /** Stable name of the problem; 'interrupted' where it was asked to stop. */
  readonly code: string;
  readonly step: string;
  /** The one of several seeds; null where there is one. */
  readonly seed: number | null;
  /** The first variant that came to no end; null where the file has none. */
  readonly variant: string | null;
  /** What the step printed, where that helps. */
  readonly log: string | null;
  /** What is done so far; null after an interruption: the last report stays as it is. */
  readonly report: Report | null;
  readonly out: string;
  /** The variants side by side that came to their end; absent where there are fewer than two. */
  readonly comparison?: Comparison;
}

/** A run that came to no end. What was finished is kept: the same call goes on from there. */
export class RunError extends UserError implements Stopped {
  readonly step: string;
  readonly seed: number | null;
  readonly variant: string | null;
  readonly log: string | null;
  readonly report: Report | null;
  readonly out: string;
  readonly comparison?: Comparison;

  constructor(message: string, { code, step, seed, variant, log, report, out, comparison }: Stopped) {
    super(message, {
      kind: 'run',
      code,
      blames: 'work',
      facts: { step, seed, ...(variant === null ? {} : { variant }) },
    });
    this.step = step;
    this.seed = seed;
    this.variant = variant;
    this.log = log;
    this.report = report;
    this.out = out;
    if (comparison !== undefined) this.comparison = comparison;
  }
}
