import { z } from 'zod';
import { type Settings, settingNames, settingsFor } from '../../models/attention/kind.ts';
import { kindOf, kinds } from '../../models/attention/kinds/index.ts';
import { recover } from '../distill/recover-options.ts';

const [first, ...others] = kinds;

type Taken = (settings: Partial<Settings>) => number | undefined;

const takers = (setting: Taken): string =>
  kinds
    .filter(({ settings }) => setting(settings) !== undefined)
    .map(({ name, settings }) => `${name} ${setting(settings)}`)
    .join(', ');

const whole = (least: number, what: string, setting: Taken) =>
  z
    .int()
    .min(least)
    .optional()
    .describe(`${what}; defaults: ${takers(setting)}`);

const options = z.strictObject({
  kind: z
    .enum([first.name, ...others.map(({ name }) => name)])
    .optional()
    .describe(`how positions see each other. ${kinds.map(({ name, summary }) => `${name}: ${summary}`).join('; ')}`),
  width: whole(1, 'positions of a block or a row, on each side of a window, or in a mean', ({ width }) => width),
  global: whole(1, 'positions at the start that see all and are seen by all', ({ global }) => global),
  random: whole(0, 'blocks at random distances that each block sees', ({ random }) => random),
  features: whole(1, 'random features, or rows that keys and values are brought to', ({ features }) => features),
  layers: z
    .array(z.int().min(0))
    .min(1)
    .optional()
    .describe('which layers change, by their numbers from 0; all where it is not said'),
  positions: z
    .strictObject({
      to: z.int().min(1).describe('tokens of the longest text from now on'),
      by: z
        .enum(['copy', 'interpolate', 'scale'])
        .default('copy')
        .describe(
          'new positions: copy repeats the rows of a table, or goes on turning; interpolate spreads what there is over the longer text; ' +
            'scale slows the slow turns of rotary positions and leaves the quick ones, which tell neighbours apart',
        ),
    })
    .optional()
    .describe('makes room for longer texts; positions that are worked out go on counting'),
  recover: recover.optional().describe('training after the change: the options of train or distill'),
});

export type AttentionOptions = z.infer<typeof options>;

/** What a kind is told, with its defaults. */
export const settingsOf = ({ kind, ...given }: AttentionOptions): Settings =>
  settingsFor(kind === undefined ? { settings: {} } : kindOf(kind), given);

export const attentionConfig = options
  .refine(({ kind, positions }) => kind !== undefined || positions !== undefined, {
    error: 'expected what to change: kind (such as window), or positions (such as { to: 2048 })',
  })
  .superRefine((given, ctx) => {
    const { kind } = given;
    for (const name of settingNames) {
      if (given[name] === undefined || (kind !== undefined && kindOf(kind).settings[name] !== undefined)) continue;
      const message = kind === undefined ? `${name} is of a kind: name one` : `kind ${kind} has no ${name}`;
      ctx.addIssue({ code: 'custom', path: [name], message });
    }
    if (kind === undefined && given.layers !== undefined)
      ctx.addIssue({ code: 'custom', path: ['layers'], message: 'layers are those that change their kind: name one' });
    const problem = kind === undefined ? undefined : kindOf(kind).problem?.(settingsOf(given));
    if (problem !== undefined) ctx.addIssue({ code: 'custom', path: [problem.setting], message: problem.message });
  });
