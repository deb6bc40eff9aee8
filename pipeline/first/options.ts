import type { DatasetTask } from '../../ground/tasks.ts';

/** Files of texts, and what is said of their columns: what nobody says is guessed. */
export interface Columns {
  /** Files with equal columns. */
  readonly data: readonly string[];
  readonly text?: string;
  readonly pair?: string;
  /** false: the texts have no classes. */
  readonly label?: string | false;
  /** What texts without classes are for. */
  readonly task?: DatasetTask;
  /** Whether the first row has the names of the columns; without it, the rows decide. */
  readonly header?: boolean;
}

export interface InitOptions extends Columns {
  /** File that is written. */
  readonly out: string;
  readonly overwrite?: boolean;
}

export const formats = 'CSV, JSON Lines (.jsonl), Parquet (.parquet) or CoNLL (.conll)';
