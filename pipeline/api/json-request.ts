import { isMissing, isUserError } from '../../ground/errors.ts';
import { nearby } from '../../ground/near.ts';
import { parsedJson, readText } from '../../models/importers/json-file.ts';
import { requestError } from '../diagnostic.ts';

/** What a JSON file of the user holds; `expected` says what it should hold. */
export const jsonIn = (file: string, expected: string): unknown => {
  try {
    return parsedJson(file, readText(file));
  } catch (error) {
    if (isMissing(error)) throw requestError(`${file}: no such file; expected ${expected}${nearby(file)}`);
    if (isUserError(error)) throw requestError(error.message);
    throw error;
  }
};
