import type { Imitation } from '../imitation.ts';
import { attention } from './attention.ts';
import { contrastive } from './contrastive.ts';
import { cosine } from './cosine.ts';
import { dist } from './dist.ts';
import { embeddings } from './embeddings.ts';
import { hidden } from './hidden.ts';
import { hiddenCosine } from './hidden-cosine.ts';
import { hiddenNormalised } from './hidden-normalised.ts';
import { kl } from './kl.ts';
import { mse } from './mse.ts';
import { relations } from './relations.ts';
import { reverseKl } from './reverse-kl.ts';

/** Every loss by which a student can imitate a teacher: those on answers first, then those on what models compute inside. */
export const imitations = [
  ...[kl, reverseKl, mse, dist, cosine, contrastive],
  ...[hidden, hiddenCosine, hiddenNormalised, attention, relations, embeddings],
] as const satisfies readonly Imitation[];

export type ImitationName = (typeof imitations)[number]['uses'];

/** The loss of a name. */
export const imitationOf = (uses: string): Imitation => {
  const found = imitations.find((one) => one.uses === uses);
  if (found === undefined) throw new Error(`there is no loss '${uses}' that imitates a teacher`);
  return found;
};
