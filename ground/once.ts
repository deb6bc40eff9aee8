import type { z } from 'zod';

/** A refinement of a list in which nothing may stand twice. */
export const once =
  (what: string) =>
  <T>(list: readonly T[], ctx: z.RefinementCtx<readonly T[]>): void => {
    list.forEach((value, i) => {
      if (list.indexOf(value) === i) return;
      ctx.addIssue({ code: 'custom', message: `${value} was named before; expected every ${what} once`, path: [i] });
    });
  };
