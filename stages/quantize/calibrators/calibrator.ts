import type { Histogram } from '../../../engine/observe/histogram.ts';
import type { Range } from '../../../graph/quantize/range.ts';

/** What is known of a value over texts. */
export interface Distribution {
  readonly histogram: Histogram;
  /** Ranges of single texts, in their order, as they follow each other in a moving average. */
  readonly moving: Range;
}

/** Chooses what the 256 steps of an activation span. */
export interface Calibrator {
  /** In YAML. */
  readonly name: string;
  /** One line for help and docs. */
  readonly summary: string;
  /** Whether it asks how numbers are spread between their ends. */
  readonly counts: boolean;
  range(seen: Distribution): Range;
}
