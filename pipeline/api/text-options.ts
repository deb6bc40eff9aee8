import { requestError } from '../diagnostic.ts';
import type { CalibrationOptions } from './types/graphs.ts';

/** Options that only texts have a use for, as the command line calls them. */
const ofTexts = {
  budget: '--budget',
  maxDrop: '--max-drop',
  calibration: '--calibration',
  text: '--text',
  pair: '--pair',
  label: '--label',
  header: '--header',
  missing: '--missing',
  maxLength: '--max-length',
} as const satisfies Partial<Record<keyof CalibrationOptions, string>>;

/** Refuses what would be ignored without texts. */
export const expectTexts = (asked: CalibrationOptions): void => {
  const names: readonly (keyof typeof ofTexts)[] = [
    'budget',
    'maxDrop',
    'calibration',
    'text',
    'pair',
    'label',
    'header',
    'missing',
    'maxLength',
  ];
  const idle = names.find((name) => asked[name] !== undefined);
  if (idle !== undefined) throw requestError(`${ofTexts[idle]}: is about texts; name a file of them with --data`);
};
