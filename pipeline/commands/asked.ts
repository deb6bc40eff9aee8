/** A text of the command line or of standard input, or a pair of them. */
export interface Given {
  readonly text: string;
  readonly pair?: string;
}

/** A line that is no text, by its number. */
export interface Failed {
  readonly line: number;
  readonly error: string;
}

export type Asked = Given | Failed;

export const isFailed = (asked: Asked): asked is Failed => 'error' in asked;
