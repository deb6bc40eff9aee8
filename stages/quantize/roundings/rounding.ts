import type { Engine } from '../../../engine/engine.ts';
import type { Grid, Rounded, Rows } from '../../../graph/quantize/grid.ts';

/** A matrix that is rounded for the sake of what it is multiplied by. */
export interface Subject {
  readonly rows: Rows;
  readonly grid: Grid;
  /** Sums of products of two inputs over many rows, width x width; empty where nobody asks for them. */
  readonly products: Float64Array;
}

/** Rounds matrices one after the other; those that read the same input come together. */
export interface Rounder {
  round(subject: Subject, signal: AbortSignal): Promise<Rounded>;
  release(): Promise<void>;
}

/** A way to round matrices to blocks of few bits. */
export interface Rounding {
  /** In YAML. */
  readonly name: string;
  readonly summary: string;
  /** Whether it is told what the inputs of a matrix are like; else it looks at weights alone. */
  readonly readsInputs: boolean;
  open(engine: Engine, threads: number): Promise<Rounder>;
}
