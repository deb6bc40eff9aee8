import type { Command } from 'commander';
import { jsonForPeople } from '../../reports/text.ts';
import { type PlanOptions, plan, type RunForecast, type SeedForecast } from '../api/index.ts';
import { duration } from '../view/text.ts';
import { addPlanOptions, DEFAULT_FILE, exit } from './common.ts';

interface Options extends PlanOptions {
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

const timeOf = ({ state, seconds }: SeedForecast): string => {
  if (seconds === null) return '';
  return state === 'cached' ? ` (took ${duration(seconds)})` : ` (about ${duration(seconds)})`;
};

const totals = (forecasts: readonly SeedForecast[]): string => {
  const open = forecasts.filter(({ state }) => state !== 'cached');
  const known = open.filter(({ seconds }) => seconds !== null);
  const total = known.reduce((sum, { seconds }) => sum + (seconds ?? 0), 0);
  const unknown = open.length - known.length;
  const rest = unknown === 0 ? '' : `, and ${unknown} never timed before`;
  const timed = `; about ${duration(total)} by earlier runs${rest}`;
  const time = open.length === 0 ? '' : known.length === 0 ? '; none was timed before' : timed;
  return `${open.length} of ${forecasts.length} steps would run${time}.\n`;
};

const render = ({ seeds, steps: forecasts }: RunForecast): string => {
  const width = Math.max(...forecasts.map(({ step }) => step.length));
  const blocks = seeds.map((seed, i) => {
    const lines = forecasts
      .filter((forecast) => forecast.seed === seed)
      .map((forecast) => `${forecast.step.padEnd(width)}  ${describe(forecast)}${timeOf(forecast)}\n`);
    const shared = i === 0 ? '' : ', without what it shares with the first';
    return `${seeds.length === 1 ? '' : `seed ${seed}${shared}\n`}${lines.join('')}\n`;
  });
  return `${blocks.join('')}${totals(forecasts)}`;
};

/** `decant plan`. */
export const planCommand = (program: Command, end: (code: number) => void): void => {
  addPlanOptions(program.command('plan').argument('[file]', 'pipeline file', DEFAULT_FILE))
    .summary('show what would run, what is cached, and why')
    .description('Show what a run would do: what is cached, what runs and why, and how long that took before.')
    .option('--json', 'print the plan as one JSON document')
    .addHelpText('after', examples)
    .action(async (file: string, options: Options) => {
      const forecast = await plan(file, options);
      process.stdout.write(options.json === true ? jsonForPeople(forecast) : render(forecast));
      end(exit.done);
    });
};
