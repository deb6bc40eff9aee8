import { fisher } from './fisher.ts';
import { magnitude } from './magnitude.ts';
import { movement } from './movement.ts';
import { obs } from './obs.ts';
import { random } from './random.ts';
import type { Saliency } from './saliency.ts';
import { softMovement } from './soft-movement.ts';
import { sparsegpt } from './sparsegpt.ts';
import { taylor } from './taylor.ts';
import { wanda } from './wanda.ts';

/** Every measure of how much a weight matters, the default first. */
export const saliencies: readonly Saliency[] = [
  magnitude,
  random,
  wanda,
  sparsegpt,
  taylor,
  fisher,
  obs,
  movement,
  softMovement,
];

export const saliencyOf = (name: string): Saliency => {
  const found = saliencies.find((saliency) => saliency.name === name);
  if (found === undefined) throw new Error(`no saliency is called '${name}'`);
  return found;
};
