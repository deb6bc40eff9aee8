import type { Effect } from './effects.ts';
import { mean } from './scored.ts';

/** Variance of a mean, from its values. */
const ofMean = (values: readonly number[]): number => {
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return squares / (values.length - 1) / values.length;
};

/**
 * One difference between two recipes from that of each of several seeds. Seeds were drawn at random, and so were the texts,
 * which are the same for all seeds: the error is √(e_texts² + e_seeds²), with that of the mean over the texts' own means and that
 * of the mean over the seeds' (Cameron, Gelbach and Miller 2011, J. Bus. Econ. Stat. 29, without the term that they subtract,
 * which errs on the side of no difference), and degrees of freedom by Welch and Satterthwaite. `texts` is the
 * difference over the answers of all seeds. Of one seed it is that seed's: nothing is known of others.
 */
export const overSeeds = (effects: readonly Effect[], texts: Effect): Effect => {
  const [only, another] = effects;
  if (only === undefined || another === undefined) return only ?? texts;
  const seeds = ofMean(effects.map(({ estimate }) => estimate));
  const sum = texts.error ** 2 + seeds;
  const spread = texts.error ** 4 / texts.degrees + seeds ** 2 / (effects.length - 1);
  return {
    estimate: mean(effects.map(({ estimate }) => estimate)),
    centre: mean(effects.map(({ centre }) => centre)),
    error: Math.sqrt(sum),
    degrees: spread > 0 ? Math.max(1, sum ** 2 / spread) : texts.degrees,
    also: null,
  };
};
