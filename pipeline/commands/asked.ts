import type { Given } from '../api/index.ts';

/** A line that is no text, by its number. */
export interface Failed {
  readonly line: number;
  readonly error: string;
}

export type Asked = Given | Failed;

export const isFailed = (asked: Asked): asked is Failed => 'error' in asked;
