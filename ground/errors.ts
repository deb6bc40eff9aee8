/** Tells these errors from bugs, also where a module of stages brings a copy of this file with it. */
const mark = Symbol.for('decant.UserError');

/**
 * Something that only the user can mend: a request, data, a model. Its message says what was found, where and what to do,
 * and is all that is shown. Every other error is a bug and keeps its stack.
 */
export class UserError extends Error {
  override readonly name: string = 'UserError';
  readonly [mark] = true;
  /** Whether what was asked for is wrong, or work that was begun cannot go on. */
  readonly blames: 'request' | 'work' = 'request';
}

export const isUserError = (error: unknown): error is UserError => error instanceof Error && mark in error;

/** A model does not allow what was asked of it: a graph, weights or a tokenizer of another kind than is needed. */
export class ModelError extends UserError {
  override readonly name: string = 'ModelError';
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The error with other words, where it is the user's; bugs pass as they are. */
export const reworded = (error: unknown, words: (message: string) => UserError): unknown =>
  isUserError(error) ? words(error.message) : error;
