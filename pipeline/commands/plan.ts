import type { Command } from 'commander';
import type { Forecast } from '../plan/forecast.ts';
import { addPlanOptions, DEFAULT_FILE, exit, type PlanOptions, planFrom } from './common.ts';

interface Options extends PlanOptions {
  readonly json?: boolean;
}

const examples = `
Examples:
  $ decant plan
  $ decant plan --set stages.student.epochs=5     what a change would cost
  $ decant plan --json`;

const describe = ({ state, why }: Forecast): string => {
  if (state === 'cached') return 'cached';
  return state === 'run' ? `runs: ${why.join('; ')}` : `runs unless its input stays the same: ${why.join('; ')}`;
};

const render = (forecasts: readonly Forecast[], duration: (seconds: number) => string): string => {
  const width = Math.max(...forecasts.map(({ step }) => step.length));
  const lines = forecasts.map((forecast) => {
    const { step, state, seconds } = forecast;
    const time =
      seconds === null ? '' : state === 'cached' ? ` (took ${duration(seconds)})` : ` (about ${duration(seconds)})`;
    return `${step.padEnd(width)}  ${describe(forecast)}${time}`;
  });
  const open = forecasts.filter(({ state }) => state !== 'cached');
  const known = open.filter(({ seconds }) => seconds !== null);
  const total = known.reduce((sum, { seconds }) => sum + (seconds ?? 0), 0);
  const unknown = open.length - known.length;
  const rest = unknown === 0 ? '' : `, and ${unknown} never timed before`;
  const timed = `; about ${duration(total)} by earlier runs${rest}`;
  const time = open.length === 0 ? '' : known.length === 0 ? '; none was timed before' : timed;
  return `${lines.join('\n')}\n\n${open.length} of ${forecasts.length} steps would run${time}.\n`;
};

const plan = async (file: string, options: Options): Promise<void> => {
  const planned = await planFrom(file, options);
  const { decantCatalogue } = await import('../kinds.ts');
  const { forecast } = await import('../plan/forecast.ts');
  const { Sources } = await import('../plan/fingerprint.ts');
  const { Store } = await import('../store/store.ts');
  const { duration } = await import('../view/text.ts');
  const forecasts = await forecast({
    plan: planned.plan,
    catalogue: decantCatalogue,
    // Only read: nothing is created where there is no store yet.
    store: new Store(planned.store),
    force: planned.force,
    threads: planned.threads,
    sources: new Sources(),
  });
  const { name } = planned.plan;
  const text =
    options.json === true ? `${JSON.stringify({ name, steps: forecasts }, null, 2)}\n` : render(forecasts, duration);
  process.stdout.write(text);
};

/** `decant plan`. */
export const planCommand = (program: Command, end: (code: number) => void): void => {
  addPlanOptions(program.command('plan').argument('[file]', 'pipeline file', DEFAULT_FILE))
    .summary('show what would run, what is cached, and why')
    .description('Show what a run would do: what is cached, what runs and why, and how long that took before.')
    .option('--json', 'print the plan as one JSON document')
    .addHelpText('after', examples)
    .action(async (file: string, options: Options) => {
      await plan(file, options);
      end(exit.done);
    });
};
