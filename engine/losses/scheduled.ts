import { z } from 'zod';
import { saying } from '../../ground/saying.ts';

/** A number that stays, or that goes from one to another over the updates. */
export type Scheduled =
  | number
  | {
      readonly from: number;
      readonly to: number;
      readonly schedule: 'linear' | 'cosine';
      /** Share of all updates after which it stays. */
      readonly until: number;
    };

const wantsEnd = saying('the share of the steps at which it ends, above 0 and up to 1');

/** A share of all updates at which something ends: what has no end is told at its line. */
export const endShare = z.number(wantsEnd).gt(0, wantsEnd).max(1, wantsEnd);

/** What YAML may say for a number that may follow a schedule. */
export const scheduled = (number: z.ZodNumber) =>
  z.union([
    number,
    z.strictObject({
      from: number,
      to: number,
      schedule: z.enum(['linear', 'cosine']).default('linear'),
      until: endShare.default(1),
    }),
  ]);

/** When it has come to its end; what stays has none. */
export const endOf = (given: Scheduled): number => (typeof given === 'number' ? 0 : given.until);

/** The number after a share of all updates: along a line, or along half a cosine. */
export const numberAt = (given: Scheduled, done: number): number => {
  if (typeof given === 'number') return given;
  const { from, to, schedule, until } = given;
  const way = Math.min(1, done / until);
  return from + (to - from) * (schedule === 'linear' ? way : (1 - Math.cos(Math.PI * way)) / 2);
};
