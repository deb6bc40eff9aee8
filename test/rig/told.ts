import type { Told, ToldSet } from '../../engine/tasks/told.ts';

/** What was told of a text that may have several classes. */
export const toldSet = (told: Told | undefined): ToldSet => {
  if (told !== undefined && 'labels' in told) return told;
  throw new Error('no set of classes was told');
};
