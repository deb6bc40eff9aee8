import { z } from 'zod';
import { saying } from '../../ground/saying.ts';
import type { Role } from '../../models/anatomy/roles.ts';
import { recover } from '../distill/recover-options.ts';
import { budget, freeKinds } from './budget/options.ts';
import { compensations } from './compensation/names.ts';
import { type Count, shareOf } from './counts.ts';
import { schedules } from './schedules/index.ts';
import { trainingProblems } from './training-problems.ts';
import { isGradual, prunableIn, type ZeroOptions, zeroKeys, zeroProblems } from './zero-options.ts';

const isPercent = (text: string, accepts: (share: number) => boolean): boolean => {
  const share = shareOf(text);
  return share !== undefined && accepts(share);
};

const percent = /^\s*\d+(\.\d+)?\s*%\s*$/;

const wantsCount = saying(
  "what is kept: a whole number from 1 such as 192, or a share above 0% and up to 100% such as '50%'",
);

const counts = [
  z.int(wantsCount).min(1, wantsCount),
  z
    .string()
    .regex(percent, { ...wantsCount, abort: true })
    .refine((text) => isPercent(text, (share) => share > 0 && share <= 1), wantsCount),
] as const;

/** What is kept: a whole number of units, or a share such as '50%'. */
const count = z.union(counts, wantsCount) satisfies z.ZodType<Count>;

const wantsSparsity = saying("a share of zeros above 0 and below 1, as 0.6 or '60%'");

const sparsity = z.union(
  [
    z.number().gt(0, wantsSparsity).lt(1, wantsSparsity),
    z
      .string()
      .regex(percent, { ...wantsSparsity, abort: true })
      .refine((text) => isPercent(text, (share) => share > 0 && share < 1), wantsSparsity),
  ],
  wantsSparsity,
);

const wantsVocabulary = saying(
  "'used' (the tokens that the training texts use), a whole number of tokens such as 12000, or a share such as '40%'",
);

/** Rows of the token table: those in use, or so many of the most frequent. */
const vocabulary = z.union([z.literal('used'), ...counts], wantsVocabulary);

const wantsLayers = saying(
  "layers to keep: a count such as 3, a share such as '50%', or their numbers from 0 in rising order, such as [0, 2, 4]",
);

const rising = (numbers: readonly number[]): boolean =>
  numbers.every((number, i) => i === 0 || number > (numbers[i - 1] ?? 0));

/** So many layers, the least harmful ones removed first, or the very layers that are named. */
const layers = z.union(
  [
    ...counts,
    z
      .array(z.int().min(0))
      .min(1)
      .refine(rising, { ...wantsLayers, abort: true }),
  ],
  wantsLayers,
);

const keep = z
  .strictObject({
    vocabulary: vocabulary
      .optional()
      .describe(
        'tokens: used keeps those of the training texts, labelled or not, a count or share the most frequent ones; ' +
          'special tokens and single characters stay, and the tokenizer is cut to match',
      ),
    hidden: count.optional().describe('width of the residual stream; wider ones, embeddings included, are cut to it'),
    heads: count.optional().describe('attention heads of each layer'),
    kvHeads: count
      .optional()
      .describe(
        'heads of keys and values of each layer of a decoder, each the mean of those it stands for; before heads go, which ' +
          'go with those that share their keys',
      ),
    ffn: count.optional().describe('feed-forward neurons of each layer'),
    layers: layers.optional().describe('how many layers, or which ones, as [0, 2, 4]'),
    embedding: count
      .optional()
      .describe(
        'width of the token embeddings; where it is the width of the stream, the table becomes a narrower one times a ' +
          'matrix (truncated singular value decomposition)',
      ),
  })
  .refine((kept) => Object.values(kept).some((entry) => entry !== undefined), {
    error: 'expected at least one of vocabulary, hidden, heads, kvHeads, ffn, layers, embedding',
  })
  .describe('what structured pruning keeps: counts such as 192 or shares such as 50%');

const options = z.strictObject({
  keep: keep.optional(),
  budget: budget.optional(),
  sparsity: sparsity.optional().describe('share of zeros in the pruned matrices, as 0.6 or 60%'),
  ...zeroKeys,
  criterion: z
    .enum(['taylor', 'magnitude', 'random', 'l0'])
    .default('taylor')
    .describe(
      'importance of heads, neurons, widths and layers; random is a control; l0 learns gates on heads, neurons, widths and layers while recovery trains',
    ),
  scope: z
    .enum(['layer', 'global'])
    .default('layer')
    .describe('whether heads and neurons compete inside their layer or over all layers'),
  examples: z.int().min(1).default(1024).describe('labelled texts on which importance is measured'),
  rounds: z
    .int()
    .min(1)
    .max(20)
    .default(1)
    .describe('cuts on the way to the target, importance measured before each; with schedule: rounds, those of zeros'),
  compensate: z
    .union([z.enum(compensations), z.boolean()])
    .optional()
    .describe(
      'what makes up for removed units: means puts what they put out on average into biases (default where the criterion ' +
        'reads texts; also true), least-squares refits the matrices that read them on training texts, none (also false)',
    ),
  schedule: z
    .enum(schedules.map(({ name }) => name))
    .default('cubic')
    .describe(
      `how zeros come over the middle three fifths of recovery; once makes them before it. ${schedules.map(({ name, summary }) => `${name}: ${summary}`).join('; ')}`,
    ),
  every: z
    .int()
    .min(1)
    .optional()
    .describe('steps between two updates of the sparsity masks (default 10; for fisher 20, for obs 50)'),
  embeddings: z
    .boolean()
    .optional()
    .describe(
      'whether sparsity prunes embedding tables too; default: where the pattern is free and the saliency reads no inputs',
    ),
  include: z
    .array(z.enum(['classifier', 'norms', 'biases']))
    .default([])
    .describe('further weights that sparsity prunes'),
  over: z
    .enum(['matrices', 'model'])
    .default('matrices')
    .describe('what sparsity is a share of: the pruned matrices, or all parameters of the model'),
  recover: recover
    .optional()
    .describe('training after the cut, or while sparsity rises: the options of train or distill'),
});
export type PruneOptions = z.infer<typeof options>;

/** Options of the stage. What can only be known from the model (more heads than there are) is found when it runs. */
export const pruneConfig = options
  .refine((given) => given.keep !== undefined || given.budget !== undefined || asksForZeros(given), {
    error:
      'expected what to prune: keep (structure, such as { heads: 50% }), budget (such as { macs: 30% }) or sparsity (zeros, ' +
      "such as '60%')",
  })
  .refine(({ keep: kept, budget: asked }) => asked === undefined || freeKinds(asked, kept).length > 0, {
    path: ['budget', 'cuts'],
    error: 'all that the budget may cut is kept by name: leave keep or budget out, or let it cut more (cuts)',
  })
  .refine((given) => !isGradual(given) || given.recover?.patience === undefined, {
    path: ['recover', 'patience'],
    error: 'early stopping could end recovery before the sparsity is reached: leave patience out, or sparsity',
  })
  .superRefine((given, ctx) => {
    const { sparsity: zeros } = given;
    for (const { path, message } of zeroProblems(given, zeros === undefined ? undefined : sparsityOf(zeros))) {
      ctx.addIssue({ code: 'custom', path: [...path], message });
    }
    for (const { path, message } of trainingProblems(given)) ctx.addIssue({ code: 'custom', path: [...path], message });
    for (const at of heldStill(given)) {
      const message =
        'recovery is to leave this part as it is, and sparsity to make zeros of it: leave one of them out';
      ctx.addIssue({ code: 'custom', path: ['recover', 'freeze', at], message });
    }
  });

export type Prunable = ReturnType<typeof prunableIn>;

/** Whether anything about zeros is said: a block or a saliency alone is told what is missing. */
const asksForZeros = ({ sparsity: zeros, pattern, saliency }: ZeroOptions): boolean =>
  [zeros, pattern, saliency].some((given) => given !== undefined);

/** Whether sparsity makes zeros of parameters that do this. */
export const isPruned = (role: Role, { embeddings, include }: Prunable): boolean => {
  switch (role) {
    case 'matrix':
      return true;
    case 'embedding':
      return embeddings;
    case 'classifier':
      return include.includes('classifier');
    case 'norm':
      return include.includes('norms');
    case 'bias':
      return include.includes('biases');
  }
};

/** Parts whose weights sparsity would set to zero while recovery is to leave them as they are, whatever model it is. */
const heldStill = (given: PruneOptions): readonly number[] => {
  const { recover: training } = given;
  if (!isGradual(given) || training === undefined) return [];
  const always = (part: string): Role =>
    part === 'embeddings' ? 'embedding' : part === 'head' ? 'classifier' : 'matrix';
  return training.freeze.flatMap((part, i) => (isPruned(always(part), prunableIn(given)) ? [i] : []));
};

/** Share of zeros as a rate. */
export const sparsityOf = (given: number | string): number =>
  typeof given === 'number' ? given : (shareOf(given) ?? 0);
