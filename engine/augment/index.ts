import type { Augmentation } from './augmentation.ts';
import { mixUp } from './mix-up.ts';
import { shift } from './shift.ts';
import { spans } from './spans.ts';
import { tokens } from './tokens.ts';
import { words } from './words.ts';

/** Every way to make other texts of those that are trained on. */
export const augmentations = [tokens, spans, words, mixUp, shift] as const satisfies readonly Augmentation[];

/** The augmentation of a name. */
export const augmentationOf = (uses: string): Augmentation => {
  const found = augmentations.find((one) => one.uses === uses);
  if (found === undefined) throw new Error(`there is no augmentation '${uses}'`);
  return found;
};
