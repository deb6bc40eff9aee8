import { stat } from 'node:fs/promises';
import type { DataGuess } from '../../data/datasets/sniff.ts';
import { isRefusal, messageOf, systemCode } from '../../ground/errors.ts';
import { nearby } from '../../ground/near.ts';
import { otherThanFile } from '../../ground/whole-file.ts';
import { requestError } from '../diagnostic.ts';
import { type Columns, formats } from './options.ts';
import { rolesOf } from './roles.ts';

/** A file of texts that somebody named. */
export const expectFile = async (file: string): Promise<void> => {
  const found = await stat(file).catch(() => undefined);
  const other = found === undefined ? undefined : otherThanFile(found);
  if (found !== undefined && other === undefined) return;
  const problem = other === undefined ? 'no such file' : `is ${other}`;
  throw requestError(
    `${file}: ${problem}; expected a file of texts: ${formats}${other === undefined ? nearby(file) : ''}`,
  );
};

/** What a file holds, by its first rows. */
export const guessed = async ({ data: [file = ''], header }: Pick<Columns, 'data' | 'header'>): Promise<DataGuess> => {
  const { sniff } = await import('../../data/datasets/sniff.ts');
  const guess = await sniff(file, header).catch((error: unknown) => {
    if (!isRefusal(error) && systemCode(error) === '') throw error;
    const reason = messageOf(error);
    throw requestError(reason.startsWith(file) ? reason : `${file}: cannot be read: ${reason}`);
  });
  if (guess.rows === 0) throw requestError(`${file}: has no rows; expected one text a row`);
  return guess;
};

/** A file of texts, and which of its columns are meant where somebody says so; false is a label that is not wanted. */
interface Table {
  readonly data: string;
  readonly text?: string | undefined;
  readonly pair?: string | undefined;
  readonly label?: string | false | undefined;
  readonly header?: boolean | undefined;
}

/** What a file holds, as a pipeline that is written for it would say. */
export const recognised = async ({ data, text, pair, label, header }: Table) => {
  const given: Columns = {
    data: [data],
    ...(text === undefined ? {} : { text }),
    ...(pair === undefined ? {} : { pair }),
    ...(label === undefined ? {} : { label }),
    ...(header === undefined ? {} : { header }),
  };
  const guess = await guessed(given);
  return { guess, roles: rolesOf(given, guess) };
};
