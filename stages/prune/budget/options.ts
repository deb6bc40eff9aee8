import { z } from 'zod';
import { bytesIn } from '../../../ground/bytes.ts';
import { saying } from '../../../ground/saying.ts';
import { shareOf } from '../counts.ts';

/** How many times as quick, as people write it: `6x`; undefined for anything else. */
export const timesIn = (text: string): number | undefined => {
  const [, digits] = /^\s*(\d+(?:\.\d+)?)\s*x\s*$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits);
};

const isShare = (text: string): boolean => {
  const share = shareOf(text);
  return share !== undefined && share > 0 && share < 1;
};

const wantsMacs = saying(
  "multiply-accumulates of a text of the middle length: a share above 0% and below 100% such as '30%', or a whole number",
);
const wantsBytes = saying("bytes of the file: a share above 0% and below 100% such as '30%', or bytes such as '12MB'");
const wantsTimes = saying("how many times as quick, more than once, such as '6x'");

/** Kinds of units that a budget may be divided over. */
const kinds = ['heads', 'ffn', 'layers', 'hidden'] as const;
export type Kind = (typeof kinds)[number];

const usual: readonly Kind[] = ['heads', 'ffn', 'layers'];

/** What is counted, one of them. */
const counted = ['macs', 'bytes', 'p50'] as const;

export const budget = z
  .strictObject({
    macs: z
      .union([z.int(wantsMacs).min(1, wantsMacs), z.string().refine(isShare, wantsMacs)], wantsMacs)
      .exactOptional()
      .describe(
        'multiply-accumulates of one text of the middle length: a share of those of the model, such as 30%, or so many',
      ),
    bytes: z
      .string()
      .refine((text) => isShare(text) || (bytesIn(text) ?? 0) > 0, wantsBytes)
      .exactOptional()
      .describe('bytes of the file in float32, as 12MB, or a share of those of the model'),
    p50: z
      .string()
      .refine((text) => (timesIn(text) ?? 0) > 1, wantsTimes)
      .exactOptional()
      .describe(
        'how many times as quick as the model that comes in, such as 6x: batch 1 at the middle length on this machine, ' +
          'measured in turns on one thread, met within 10 %',
      ),
    as: z
      .enum(['float32', 'int8'])
      .exactOptional()
      .describe(
        'what the smaller model is timed as: float32 (the default), or int8 where it will be quantized; the model that comes ' +
          'in is timed as it is',
      ),
    cuts: z
      .array(z.enum(kinds))
      .min(1)
      .default([...usual])
      .describe('what may be cut; hidden tries a few widths of the stream, each divided anew'),
    texts: z
      .int()
      .min(1)
      .default(64)
      .describe('training texts that importance does not see, on which the harm of each cut is measured'),
  })
  .superRefine((given, ctx) => {
    const asked = counted.filter((key) => given[key] !== undefined);
    if (asked.length !== 1) {
      const found = asked.length === 0 ? 'none' : asked.join(' and ');
      ctx.addIssue({ code: 'custom', message: `expected one of macs, bytes and p50; found ${found}` });
    }
    if (given.as !== undefined && given.p50 === undefined) {
      const message = 'only p50 is timed: leave as out, or ask for p50';
      ctx.addIssue({ code: 'custom', path: ['as'], message });
    }
  })
  .describe('what heads, neurons and layers may come to together, divided over them by measured harm');

export type BudgetOptions = z.output<typeof budget>;

/** Kinds that a budget may cut beside what is kept by name. */
export const freeKinds = ({ cuts }: Pick<BudgetOptions, 'cuts'>, keep: object | undefined): readonly Kind[] =>
  cuts.filter(
    (kind) => keep === undefined || Object.entries(keep).every(([key, kept]) => key !== kind || kept === undefined),
  );
