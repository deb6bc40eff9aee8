import type { Check, Inputs } from '../api/types/graphs.ts';

/** What the process of a doctor is asked. */
export interface Question {
  /** A file, a folder, hub: or npm:. */
  readonly model: string;
  readonly inputs: readonly Inputs[];
  readonly threads: number;
  readonly offline: boolean;
  /** Where files are made, and where a download lies. */
  readonly folder: string;
  readonly download: string;
  /** What processes before this one found: it goes on behind them. */
  readonly known: readonly Check[];
}

/** What it says: how many bytes the weights are, what it begins, what it found, that the model cannot be read, or that it is done. */
export type Said =
  | { readonly type: 'weights'; readonly bytes: number }
  | { readonly type: 'began'; readonly name: string }
  | { readonly type: 'checked'; readonly check: Check }
  | { readonly type: 'unreadable'; readonly why: string }
  | { readonly type: 'done' };
