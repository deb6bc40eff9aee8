import type { PruneOptions } from './config.ts';
import { isGradual, zerosAsked } from './zero-options.ts';

/** What to be told of a training that is too short for a saliency that it teaches; undefined where it is long enough. */
export const tooShort = (options: PruneOptions, updates: number | undefined): string | undefined => {
  const { saliency } = zerosAsked(options);
  const fewest = saliency.reads === 'gradients' ? saliency.fewest : undefined;
  if (fewest === undefined || updates === undefined || updates >= fewest || !isGradual(options)) return undefined;
  return (
    `saliency ${saliency.name} is learnt by the updates of recovery, and ${updates} are few: below ${fewest} it left far ` +
    'worse models than magnitude wherever both were tried; train for longer, or take magnitude'
  );
};
