import type { Rows } from '../../../data/rows.ts';
import type { Answer } from '../../../ground/tasks.ts';

/** What several teachers said about the same texts. */
export interface Said {
  /** What kind of answers they are. */
  readonly answer: Answer;
  /** Of each teacher in turn, a row an answer. */
  readonly rows: readonly Rows[];
  /** How much each teacher counts: together 1. */
  readonly weights: readonly number[];
}

/** What they said about validation texts, and the right class of each text. */
export interface Known {
  readonly rows: readonly Rows[];
  readonly targets: readonly number[];
}

export interface Mixed {
  /** Writes what the teachers say together of one row; `read` are those of them that read so far. */
  put(row: number, read: readonly number[], into: Float32Array): void;
  /** What it found, for the report. */
  readonly found?: Readonly<Record<string, readonly number[]>>;
}

/** A way to make one teacher of several. */
export interface Way {
  readonly name: string;
  readonly summary: string;
  /** Kinds of answers that it mixes. */
  readonly answers: readonly Answer[];
  /** Whether it looks at what the teachers say about validation texts. */
  readonly validates: boolean;
  mix(said: Said, known: Known | undefined): Mixed;
}
