import { type Planned, planFrom } from './planned.ts';
import type { PlanOptions, RunForecast, SeedForecast } from './types/pipelines.ts';

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

/** What a run of a file would do, without running anything. */
export const forecastFile = async (file: string, options: PlanOptions): Promise<RunForecast> => {
  const planned = await planFrom(file, options);
  const { name, seeds } = planned.plan;
  return { name, seeds, steps: await forecastSeeds(planned) };
};
