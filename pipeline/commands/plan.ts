import type { Command } from 'commander';
import { bytes } from '../../reports/figures.ts';
import { jsonForPeople } from '../../reports/text.ts';
import { type ForecastOptions, plan, type RunForecast, type SeedForecast } from '../api/index.ts';
import { duration } from '../view/text.ts';
import { addPlanOptions, DEFAULT_FILE, exit, followedOnLine, wholeNumber } from './common.ts';

interface Options extends Omit<ForecastOptions, 'variants'> {
  readonly variant: readonly string[];
  readonly json?: boolean;
}

const examples = `
Examples:
  $ decant plan
  $ decant plan --set stages.student.epochs=5     what a change would cost
  $ decant plan --json`;

const describe = ({ state, why }: SeedForecast): string => {
  if (state === 'cached') return 'cached';
  return state === 'run' ? `runs: ${why.join('; ')}` : `runs unless its input stays the same: ${why.join('; ')}`;
};

const figuresOf = ({ state, seconds, memory }: SeedForecast): string => {
  if (state === 'cached') return seconds === null ? '' : ` (took ${duration(seconds)})`;
  const parts = [
    ...(seconds === null ? [] : [`about ${duration(seconds)}`]),
    ...(memory === null ? [] : [`${bytes(memory)} of memory`]),
  ];
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
};

const sourceWords = { history: 'earlier runs', estimate: 'trials of untrained models' } as const;

/** Where times come from, in words. */
const sourcesOf = (open: readonly SeedForecast[]): string => {
  const named = (['history', 'estimate'] as const).filter((source) =>
    open.some(({ sources }) => sources.seconds === source),
  );
  return named.map((source) => sourceWords[source]).join(' and ');
};

const timeText = (open: readonly SeedForecast[], { seconds, untimed }: RunForecast['totals']): string => {
  if (open.length === 0) return '';
  if (untimed === open.length) return '; none was timed before';
  const rest = untimed === 0 ? '' : `, and ${untimed} never timed before`;
  return `; about ${duration(seconds)} by ${sourcesOf(open)}${rest}`;
};

const spaceText = ({ memory, disk, saved }: RunForecast['totals']): string => {
  const most = memory === null ? '' : `Memory: up to about ${bytes(memory.bytes)}, in ${memory.step}.`;
  const more = saved > 0 ? `, and up to ${bytes(saved)} on the way` : '';
  const needed = disk === 0 ? '' : `Disk: about ${bytes(disk)} more${more}.`;
  const lines = [most, needed].filter((line) => line !== '');
  return lines.length === 0 ? '' : `${lines.join(' ')}\n`;
};

const totalsText = ({ steps, totals, warnings }: RunForecast): string => {
  const open = steps.filter(({ state }) => state !== 'cached');
  const count = `${open.length} of ${steps.length} steps would run${timeText(open, totals)}.\n`;
  return `${count}${open.length === 0 ? '' : spaceText(totals)}${warnings.map((warning) => `warning: ${warning}\n`).join('')}`;
};

/** The run that a step belongs to. */
interface Which {
  readonly variant?: string;
  readonly seed: number;
}

const runsOf = ({ variants, seeds }: RunForecast): readonly Which[] =>
  variants === undefined
    ? seeds.map((seed) => ({ seed }))
    : variants.flatMap((variant) => seeds.map((seed) => ({ variant, seed })));

/** What stands above the steps of one of several runs. */
const titleOf = ({ variant, seed }: Which, at: number, { variants, seeds }: RunForecast): string => {
  if (variants === undefined && seeds.length === 1) return '';
  const seedText = seeds.length > 1 || variant === undefined ? [`seed ${seed}`] : [];
  const name = [...(variant === undefined ? [] : [`variant ${variant}`]), ...seedText].join(', ');
  const shared = variants === undefined ? 'with the first' : 'with those before it';
  return `${name}${at === 0 ? '' : `, without what it shares ${shared}`}\n`;
};

const render = (forecast: RunForecast): string => {
  const { steps: forecasts } = forecast;
  const width = Math.max(...forecasts.map(({ step }) => step.length));
  const blocks = runsOf(forecast).map((which, i) => {
    const lines = forecasts
      .filter(({ variant, seed }) => variant === which.variant && seed === which.seed)
      .map((one) => `${one.step.padEnd(width)}  ${describe(one)}${figuresOf(one)}\n`);
    return `${titleOf(which, i, forecast)}${lines.join('')}\n`;
  });
  return `${blocks.join('')}${totalsText(forecast)}`;
};

/** `decant plan`. */
export const planCommand = (program: Command, end: (code: number) => void): void => {
  addPlanOptions(program.command('plan').argument('[file]', 'pipeline file', DEFAULT_FILE))
    .summary('show what would run, what is cached, and why, and what it takes')
    .description(
      'Show what a run would do: what is cached, what runs and why, and what that takes of time, memory and disk: by earlier ' +
        'runs, or where there was none by trials of untrained models on this machine, some seconds for each of their sizes.',
    )
    .option('--json', 'print the plan as one JSON document')
    .option('--no-estimate', 'try nothing: tell what earlier runs show, and no more')
    .option(
      '--memory <MB>',
      'memory that a step may take (default: 95 % of what is free, or half of all if that is more)',
      wholeNumber(1, 10_000_000),
    )
    .addHelpText('after', examples)
    .action(async (file: string, options: Options) => {
      const forecast = await followedOnLine(plan(file, { ...options, variants: options.variant }), (event) =>
        event.type === 'progress' ? [event.step, event.progress] : undefined,
      );
      process.stdout.write(options.json === true ? jsonForPeople(forecast) : render(forecast));
      end(exit.done);
    });
};
