import type { Compensation } from './compensation/names.ts';
import type { PruneOptions } from './config.ts';
import { isLearnt, ranksOnExamples } from './criteria/index.ts';
import type { Keep } from './targets.ts';
import { looksAtGradients, looksAtInputs, zerosAsked } from './zero-options.ts';

/** What makes up for units that go. */
export const compensationOf = ({ criterion, compensate }: PruneOptions): Compensation => {
  if (typeof compensate === 'string') return compensate;
  return (compensate ?? ranksOnExamples(criterion)) ? 'means' : 'none';
};

export const countsLayers = ({ layers }: Keep): boolean => layers !== undefined && typeof layers !== 'object';

/** What is cut before gates are learnt of the rest. */
export const beforeGates = (keep: Keep): Keep => ({
  vocabulary: keep.vocabulary,
  embedding: keep.embedding,
  kvHeads: keep.kvHeads,
  ...(countsLayers(keep) ? {} : { layers: keep.layers }),
});

/** Whether units may be ranked. Tokens go by their frequency, and layers that are named need no ranking. */
const ranks = (keep: Keep): boolean =>
  countsLayers(keep) || [keep.heads, keep.ffn, keep.hidden, keep.embedding].some((kept) => kept !== undefined);

/** Whether texts are run through the model to rank units. */
const measuresUnits = (options: PruneOptions): boolean => {
  const { keep, budget } = options;
  if (budget !== undefined) return true;
  if (keep === undefined) return false;
  const measured = ranksOnExamples(options.criterion) || compensationOf(options) !== 'none';
  const ranked = ranks(keep) && !isLearnt(options.criterion) && measured;
  return keep.vocabulary !== undefined || keep.embedding !== undefined || ranked;
};

/** Whether training texts are read: to count tokens, to measure importance, what units put out on average, or what a cut harms. */
export const needsExamples = (options: PruneOptions): boolean =>
  measuresUnits(options) || looksAtInputs(options) || looksAtGradients(options);

/** Texts that are learned from without a weight moving, and those that are only read. */
export const measuringEffort = (
  options: PruneOptions,
  train: number,
): { readonly trained: number; readonly alone: number } => {
  const learned = Math.min(options.examples, train);
  const units = measuresUnits(options) ? options.rounds * learned : 0;
  const read = looksAtInputs(options) ? Math.min(zerosAsked(options).calibration, train) : 0;
  return { trained: units + (looksAtGradients(options) ? learned : 0), alone: read };
};
