import { engineError, isUserError, messageOf, type UserError } from '../../ground/errors.ts';

const CODE = 'memory';

interface Details {
  readonly cause?: unknown;
  /** What helps whoever asked, unless he knows better. */
  readonly advice?: string;
  /** How many times more was asked for than there is, where that is known. */
  readonly times?: number;
}

/** More memory was asked for than there is. */
export const memoryError = (reason: string, { cause, advice, times = 1 }: Details = {}): UserError =>
  engineError(advice === undefined ? reason : `${reason}; ${advice}`, { code: CODE, facts: { reason, times }, cause });

/** What JavaScript says where an array cannot be made. */
const NO_ARRAY = /Array buffer allocation failed|Invalid typed array length|could not allocate memory/;

/** Memory that did not suffice: what for, and how many times more was asked for, 1 where nobody knows. */
export interface Lack {
  readonly reason: string;
  readonly times: number;
}

/** How memory did not suffice; undefined where something failed for another reason. */
export const lackOf = (error: unknown): Lack | undefined => {
  const message = messageOf(error);
  if (isUserError(error, 'engine') && error.code === CODE) {
    return { reason: String(error.facts.reason), times: Number(error.facts.times) };
  }
  return error instanceof RangeError && NO_ARRAY.test(message) ? { reason: message, times: 1 } : undefined;
};
