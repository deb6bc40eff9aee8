import type { Profile } from '../../data/profile.ts';
import type { CauseReport } from '../report.ts';
import { attentionInPieces } from './attention-in-pieces.ts';
import { blockProducts } from './block-products.ts';
import { type Cause, isDisturbed } from './cause.ts';
import { type Done, nothingDone } from './done.ts';
import { embeddingTable } from './embedding-table.ts';
import { fixedCost } from './fixed-cost.ts';
import { floatProducts } from './float-products.ts';
import { idleZeros } from './idle-zeros.ts';
import { moreThreadsThanCores } from './more-threads-than-cores.ts';
import { noVnni } from './no-vnni.ts';
import { oddHeads } from './odd-heads.ts';
import { quantizeSteps } from './quantize-steps.ts';
import { uncountedWork } from './uncounted-work.ts';
import { weightEncoding } from './weight-encoding.ts';

/** Every reason that is looked for. */
export const causes: readonly Cause[] = [
  floatProducts,
  weightEncoding,
  quantizeSteps,
  blockProducts,
  attentionInPieces,
  idleZeros,
  embeddingTable,
  fixedCost,
  uncountedWork,
  noVnni,
  moreThreadsThanCores,
  oddHeads,
];

const rank = ({ about, share }: CauseReport): number => (about === 'time' ? 2 : 0) + (share ?? -1);

/** Whether other work disturbed the profile of a stage's model so much that causes cannot be told from its times. */
export const isUndecided = ({ models }: Profile, id: string): boolean => {
  const model = models[id];
  return model !== undefined && isDisturbed(model);
};

/**
 * Why a stage's model is not faster: what costs most first, what is about bytes last. Of a disturbed profile only what the
 * graph itself shows.
 */
export const causesOf = (profile: Profile, id: string, done: Done = nothingDone): readonly CauseReport[] => {
  const profiled = profile.models[id];
  if (profiled === undefined) return [];
  const model = isDisturbed(profiled) ? { ...profiled, times: {} } : profiled;
  const found = causes.flatMap((cause): readonly CauseReport[] => {
    const { name, about } = cause;
    const advice = cause.advise?.(done) ?? cause.advice;
    const shown = cause.find({ profile, model });
    return shown === undefined ? [] : [{ name, about, advice, ...shown }];
  });
  return found.toSorted((a, b) => rank(b) - rank(a));
};
