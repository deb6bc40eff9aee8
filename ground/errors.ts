/** Tells these errors from bugs, also where a module of stages brings a copy of this file with it. */
const mark = Symbol.for('decant.UserError');

/** Figures, places and single problems behind a message, for those who act on them. */
export type Facts = Readonly<Record<string, unknown>>;

/** What a message is about. */
export interface Details {
  /** Where it comes from: "data", "import", "codec" ... */
  readonly kind?: string;
  /** Stable name of this very problem where a kind knows several; else the kind. */
  readonly code?: string;
  readonly facts?: Facts;
  /** Whether what was asked for is wrong, or work that was begun cannot go on. */
  readonly blames?: 'request' | 'work';
  readonly cause?: unknown;
}

/**
 * Something that only the user can mend: a request, data, a model. Its message says what was found, where and what to do,
 * and is all that is shown. Every other error is a bug and keeps its stack.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly [mark] = true;
  readonly kind: string;
  readonly code: string;
  readonly facts: Facts;
  readonly blames: 'request' | 'work';

  constructor(message: string, details: Details = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    const { kind = 'request', code = kind, facts = {}, blames = 'request' } = details;
    this.kind = kind;
    this.code = code;
    this.facts = facts;
    this.blames = blames;
  }
}

/** Whether an error is the user's to mend, and of that kind where one is named. */
export const isUserError = (error: unknown, kind?: string): error is UserError =>
  error instanceof Error && mark in error && (kind === undefined || ('kind' in error && error.kind === kind));

/** Makes the errors of one kind. */
export const userErrors =
  (kind: string, blames: 'request' | 'work' = 'request') =>
  (message: string, details: Pick<Details, 'code' | 'facts' | 'cause'> = {}): UserError =>
    new UserError(message, { kind, blames, ...details });

/** A model does not allow what was asked of it: a graph, weights or a tokenizer of another kind than is needed. */
export const modelError = userErrors('model');

/** A stage cannot go on: bad data, a loss that diverged. */
export const stageError = userErrors('stage', 'work');

/** What graphs should run on is not there, or gave up. */
export const engineError = userErrors('engine');

const refusing = Symbol.for('decant.refusal');

/**
 * What a library, or the record of an operator, says of what it was given. Where that came from the user it is the user's to
 * mend, where it was made here it is a bug: only who gave it knows, so a refusal is a bug until somebody words it.
 */
export const refusal = (message: string, options?: { readonly cause?: unknown }): Error =>
  Object.assign(new Error(message, options), { [refusing]: true });

/** Whether something was refused: for the user, or for whoever gave it. */
export const isRefusal = (error: unknown): error is Error & (UserError | { readonly [refusing]: true }) =>
  isUserError(error) || (error instanceof Error && refusing in error);

/** What a library throws, as a refusal: a plain error. Of another class is what it throws at those who misuse it: a bug. */
export const refusalOf = (error: unknown): unknown =>
  !isRefusal(error) && error instanceof Error && Object.getPrototypeOf(error) === Error.prototype
    ? refusal(messageOf(error), { cause: error })
    : error;

/** Does what a library does with bytes of the user: whatever it throws over them is a refusal, but for what the system says. */
export const refusedOr = async <T>(work: () => Promise<T> | T): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    // ENOENT and the like; what Node says of bytes out of range (ERR_OUT_OF_RANGE) is one more way to refuse them.
    const ofSystem = /^E[A-Z0-9]+$/.test(systemCode(error));
    throw isRefusal(error) || ofSystem ? error : refusal(messageOf(error), { cause: error });
  }
};

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The error with other words, where it is a refusal of what the user gave; bugs pass as they are. */
export const reworded = (error: unknown, words: (message: string) => UserError): unknown =>
  isRefusal(error) ? words(error.message) : error;

/** What the system calls a failure (ENOENT, EACCES ...); empty where it was none of the system's. */
export const systemCode = (error: unknown): string =>
  error instanceof Error && !isUserError(error) && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** Whether a file, or a folder on the way to it, is not there. */
export const isMissing = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(systemCode(error));

/** An error as it goes from one thread or process to another: classes, marks and codes stay behind. */
export type Carried =
  | { readonly message: string; readonly details: Details }
  | { readonly error: unknown; readonly code: string };

export const carried = (error: unknown): Carried => {
  if (!isUserError(error)) return { error, code: systemCode(error) };
  const { message, kind, code, facts, blames } = error;
  return { message, details: { kind, code, facts, blames } };
};

export const uncarried = (one: Carried): unknown => {
  if ('details' in one) return new UserError(one.message, one.details);
  return one.error instanceof Error && one.code !== '' ? Object.assign(one.error, { code: one.code }) : one.error;
};
