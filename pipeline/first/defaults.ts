import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Loaded } from '../../data/datasets/kind.ts';
import { listed } from '../../ground/names.ts';

/** pipeline.schema.json is two folders up from the source and three from the compiled files. */
const schemas = ['../../pipeline.schema.json', '../../../pipeline.schema.json'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

/** What editors complete and check the file by; nothing where the schema is not there. */
export const schemaLine = (folder: string): string => {
  const schema = schemas.find((path) => existsSync(path));
  return schema === undefined
    ? ''
    : `# yaml-language-server: $schema=${relative(folder, schema).replaceAll('\\', '/')}\n`;
};

/** A new head on a pretrained encoder, or a student that lost half of its heads, has hardly moved after fewer updates. */
const FEWEST_STEPS = 600;

/** What training takes where the file says nothing. */
const USUAL_BATCH = 64;

/** Of fewer texts, small batches: an epoch has some updates, and validation comes after more than a handful. */
const batchOf = (texts: number, usual: number): number => Math.min(usual, texts < 1000 ? 16 : 32);

/** Of all updates, what training goes on without a better score. */
const PATIENCE = 0.2;

/**
 * How long a stage trains: epochs where these are updates enough; where texts are few, updates, until validation texts say
 * that more make it worse.
 */
export const lengthLines = (
  texts: number,
  { epochs, batch }: { readonly epochs: number; readonly batch?: number },
): string => {
  const usual = batch ?? USUAL_BATCH;
  if (epochs * Math.ceil(texts / usual) >= FEWEST_STEPS)
    return `epochs: ${epochs}${batch === undefined ? '' : `\n    batch: ${batch}`}`;
  const small = batchOf(texts, usual);
  const patience = Math.max(2, Math.ceil((PATIENCE * FEWEST_STEPS) / Math.ceil(texts / small)));
  return `steps: ${FEWEST_STEPS}                  # updates: ${texts} training texts are few for a number of epochs
    batch: ${small}
    patience: ${String(patience).padEnd(2)}                # ends after so many epochs without a better score on validation texts`;
};

const texts = (count: number): string => `${count} text${count === 1 ? '' : 's'}`;

/** What was read: texts by split. */
export const readWords = ({ dataset: { train, unlabelled, validation, test } }: Loaded): string => {
  const more = unlabelled.length === 0 ? '' : `, ${unlabelled.length} without labels`;
  const all = train.length + unlabelled.length + validation.length + test.length;
  return `Read ${texts(all)}: ${train.length} to train on${more}, ${validation.length} to validate, ${test.length} to test.`;
};

/** What was not: columns that nothing is read from, and texts that were there before. */
export const leftOutWords = ({ duplicates, contradictions }: Loaded, columns: readonly string[]): readonly string[] => {
  const other = contradictions === 0 ? '' : `, ${contradictions} of them with another label than the first`;
  const left = [
    ...(columns.length === 0 ? [] : [`column${columns.length === 1 ? '' : 's'} ${listed(columns, 6)}`]),
    ...(duplicates === 0 ? [] : [`${duplicates} repeated text${duplicates === 1 ? '' : 's'}${other}`]),
  ];
  return left.length === 0 ? [] : [`Left out: ${left.join('; ')}.`];
};
