import { awq } from './awq.ts';
import { awqGptq } from './awq-gptq.ts';
import { gptq } from './gptq.ts';
import { hqq } from './hqq.ts';
import { nearest } from './nearest.ts';
import type { Rounding } from './rounding.ts';

/** How matrices may be rounded to blocks of few bits, the default first. */
export const roundings: readonly Rounding[] = [gptq, awq, awqGptq, nearest, hqq];

const [byDefault] = roundings;

/** The rounding of a name; the default where nobody says. */
export const roundingOf = (name: string | undefined): Rounding => {
  const found = name === undefined ? byDefault : roundings.find((rounding) => rounding.name === name);
  if (found === undefined) throw new Error(`there is no rounding '${name}'`);
  return found;
};
