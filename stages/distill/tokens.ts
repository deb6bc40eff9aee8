import { isUserError } from '../../ground/errors.ts';
import type { Expected, Foreboding, Outlook } from '../expected.ts';
import { looksInside } from './entries.ts';
import { type Looking, lookedInto } from './looked.ts';

/** Why what a teacher of other tokens computes cannot be compared. */
export const otherTokens =
  'student and teacher cut texts into different tokens: what they compute inside cannot be compared; leave such losses out, ' +
  'or cut the student from the teacher';

/** Whether a teacher has a token for each of the student's; true where that is not known. */
const isRead = async ({ tokens: mine }: Expected, { tokens: theirs }: Expected): Promise<boolean> => {
  if (mine === undefined || theirs === undefined || mine.from === theirs.from) return true;
  try {
    const { tokenTranslation } = await import('../../data/tokenizers/translate.ts');
    return (await tokenTranslation(await mine.read(), await theirs.read())) !== undefined;
  } catch (error) {
    // What cannot be read is told where it is imported.
    if (isUserError(error, 'import')) return true;
    throw error;
  }
};

/** Losses that would look into a teacher of other tokens, by their path in the options. */
export const otherTokensIn = async (
  taught: Looking,
  { models }: Pick<Outlook, 'models'>,
): Promise<readonly Foreboding[]> => {
  const { model: student = {} } = models;
  const problems: Foreboding[] = [];
  for (const [id, name] of lookedInto(taught)) {
    if (await isRead(student, models[name] ?? {})) continue;
    const isOwn = (teacher: string | undefined): boolean => teacher === id || teacher === undefined;
    for (const [at, entry] of (taught.losses ?? []).entries()) {
      if (looksInside(entry) && isOwn(entry.teacher)) problems.push({ path: ['losses', at], message: otherTokens });
    }
    if (taught.hidden !== undefined) problems.push({ path: ['hidden'], message: otherTokens });
  }
  return problems;
};
