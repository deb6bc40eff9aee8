import { isUserError } from '../../ground/errors.ts';

/** Code and message of what is refused. */
export const refusal = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
  } catch (error) {
    if (isUserError(error, 'data')) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'nothing';
};
