import type { PruneOptions } from './config.ts';
import { criterionOf } from './criteria/index.ts';
import type { Keep } from './targets.ts';

export const compensates = ({ criterion, compensate }: PruneOptions): boolean =>
  compensate ?? criterionOf(criterion).needsExamples;

export const countsLayers = ({ layers }: Keep): boolean => layers !== undefined && typeof layers !== 'object';

/** Whether units may be ranked. Tokens go by their frequency, and layers that are named need no ranking. */
const ranks = (keep: Keep): boolean =>
  countsLayers(keep) || [keep.heads, keep.ffn, keep.hidden, keep.embedding].some((kept) => kept !== undefined);

/** Whether training texts are read: to count tokens, to measure importance, or what units put out on average. */
export const needsExamples = (options: PruneOptions): boolean => {
  const { keep } = options;
  if (keep === undefined) return false;
  const ranked = ranks(keep) && (criterionOf(options.criterion).needsExamples || compensates(options));
  return keep.vocabulary !== undefined || keep.embedding !== undefined || ranked;
};
