import { z } from 'zod';

/** Beside the files of a checkpoint: where they are from. */
export const originFile = 'origin.json';

const originSchema = z.object({
  schema: z.literal('decant.origin/1'),
  repository: z.string(),
  commit: z.string(),
});

/** Says nothing about branches or addresses: equal commits make equal folders. */
export const originText = (origin: { readonly repository: string; readonly commit: string }): string =>
  `${JSON.stringify({ schema: 'decant.origin/1', ...origin }, null, 2)}\n`;

/** Which commit of which model a downloaded folder holds. */
export const parseOrigin = (text: string): { readonly repository: string; readonly commit: string } => {
  const { repository, commit } = originSchema.parse(JSON.parse(text));
  return { repository, commit };
};
