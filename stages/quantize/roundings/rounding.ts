import type { Engine } from '../../../engine/engine.ts';
import type { RoundRows } from '../../../graph/quantize/blockwise.ts';
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

interface Named {
  /** In YAML. */
  readonly name: string;
  readonly summary: string;
}

/** Looks at weights alone, products and tables alike. */
interface Blind extends Named {
  readonly readsInputs: false;
  readonly rows: RoundRows;
}

/** Is told what the inputs of a matrix are like; tables have none and are rounded to the nearest. */
export interface Seeing extends Named {
  readonly readsInputs: true;
  /** Whether inputs are divided and weights multiplied before, where products err less by that. */
  readonly scales: boolean;
  open(engine: Engine, threads: number): Promise<Rounder>;
}

/** A way to round matrices to blocks of few bits. */
export type Rounding = Blind | Seeing;
