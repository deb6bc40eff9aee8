import type { Command } from 'commander';
import { jsonForPeople } from '../../reports/text.ts';
import type { Forecast } from '../plan/forecast.ts';
import type { Plan } from '../plan/plan.ts';
import { addPlanOptions, DEFAULT_FILE, exit, type Planned, type PlanOptions, planFrom } from './common.ts';

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

/** What one of several seeds would do. */
interface SeedForecast extends Forecast {
  readonly seed: number;
}

const timeOf = ({ state, seconds }: Forecast, duration: (seconds: number) => string): string => {
  if (seconds === null) return '';
  return state === 'cached' ? ` (took ${duration(seconds)})` : ` (about ${duration(seconds)})`;
};

const totals = (forecasts: readonly Forecast[], duration: (seconds: number) => string): string => {
  const open = forecasts.filter(({ state }) => state !== 'cached');
  const known = open.filter(({ seconds }) => seconds !== null);
  const total = known.reduce((sum, { seconds }) => sum + (seconds ?? 0), 0);
  const unknown = open.length - known.length;
  const rest = unknown === 0 ? '' : `, and ${unknown} never timed before`;
  const timed = `; about ${duration(total)} by earlier runs${rest}`;
  const time = open.length === 0 ? '' : known.length === 0 ? '; none was timed before' : timed;
  return `${open.length} of ${forecasts.length} steps would run${time}.\n`;
};

const render = (
  forecasts: readonly SeedForecast[],
  { seeds }: Pick<Plan, 'seeds'>,
  duration: (seconds: number) => string,
): string => {
  const width = Math.max(...forecasts.map(({ step }) => step.length));
  const blocks = seeds.map((seed, i) => {
    const lines = forecasts
      .filter((forecast) => forecast.seed === seed)
      .map((forecast) => `${forecast.step.padEnd(width)}  ${describe(forecast)}${timeOf(forecast, duration)}\n`);
    const shared = i === 0 ? '' : ', without what it shares with the first';
    return `${seeds.length === 1 ? '' : `seed ${seed}${shared}\n`}${lines.join('')}\n`;
  });
  return `${blocks.join('')}${totals(forecasts, duration)}`;
};

/** What each seed would do; what does not depend on the seed is told of the first only. */
const forecastSeeds = async ({ plan, store, force, threads }: Planned): Promise<readonly SeedForecast[]> => {
  const { decantCatalogue: catalogue } = await import('../kinds.ts');
  const { forecast } = await import('../plan/forecast.ts');
  const { Sources } = await import('../plan/fingerprint.ts');
  const { Store } = await import('../store/store.ts');
  const { plansOf, varyingSteps } = await import('../plan/seeds.ts');
  const varying = varyingSteps(plan, catalogue);
  // Only read: nothing is created where there is no store yet.
  const options = { catalogue, store: new Store(store), force, threads, sources: new Sources() };
  const forecasts: SeedForecast[] = [];
  for (const one of plansOf(plan)) {
    const all = await forecast({ ...options, plan: one });
    const own = one.seed === plan.seeds[0] ? all : all.filter(({ step }) => varying.has(step));
    forecasts.push(...own.map((step) => ({ seed: one.seed, ...step })));
  }
  return forecasts;
};

const plan = async (file: string, options: Options): Promise<void> => {
  const planned = await planFrom(file, options);
  const { duration } = await import('../view/text.ts');
  const steps = await forecastSeeds(planned);
  const { name } = planned.plan;
  const text = options.json === true ? jsonForPeople({ name, steps }) : render(steps, planned.plan, duration);
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
