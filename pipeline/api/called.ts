import { reworded } from '../../ground/errors.ts';
import { requestError } from '../diagnostic.ts';

/** What is wrong with a model, or asked too much of it, is told with its name. */
export const called = async <T>(name: string, work: () => T | Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    throw reworded(error, (why) => requestError(why.startsWith(name) ? why : `${name}: ${why}`));
  }
};
