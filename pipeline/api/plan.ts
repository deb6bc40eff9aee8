import type { StepEstimate } from '../plan/estimate/estimate.ts';
import type { Forecasts } from '../plan/forecast.ts';
import { type Planned, planFrom } from './planned.ts';
import type { ReadingEvent } from './types/models.ts';
import type { Forecast, ForecastOptions, RunForecast, SeedForecast } from './types/pipelines.ts';

type Estimates = ReadonlyMap<string, StepEstimate>;

/** An estimate in the place of what is known of others of its kind alone. */
const withEstimate = (step: Forecast, estimate: StepEstimate | undefined): Forecast => {
  if (estimate === undefined) return step;
  const pick = (figure: 'seconds' | 'memory' | 'disk') =>
    estimate[figure] === null
      ? { figure: step[figure], source: step.sources[figure] }
      : { figure: estimate[figure], source: 'estimate' as const };
  const [seconds, memory, disk] = [pick('seconds'), pick('memory'), pick('disk')];
  return {
    ...step,
    ...{ seconds: seconds.figure, memory: memory.figure, disk: disk.figure },
    sources: { seconds: seconds.source, memory: memory.source, disk: disk.source },
  };
};

/** What each seed would do; what does not depend on the seed is told of the first only. */
const forecastSeeds = async (
  { plan, store, force, threads }: Planned,
  estimates: (first: Forecasts) => Promise<Estimates>,
): Promise<{ readonly steps: readonly SeedForecast[]; readonly estimated: Estimates }> => {
  const { decantCatalogue: catalogue } = await import('../kinds.ts');
  const { forecast } = await import('../plan/forecast.ts');
  const { Sources } = await import('../plan/fingerprint.ts');
  const { Store } = await import('../store/store.ts');
  const { plansOf, varyingSteps } = await import('../plan/seeds.ts');
  const varying = varyingSteps(plan, catalogue);
  // Only read: nothing is created where there is no store yet.
  const options = { catalogue, store: new Store(store), force, threads, sources: new Sources() };
  const forecasts: SeedForecast[] = [];
  let estimated: Estimates | undefined;
  for (const one of plansOf(plan)) {
    const all = await forecast({ ...options, plan: one });
    estimated ??= await estimates(all);
    const own = one.seed === plan.seeds[0] ? all.steps : all.steps.filter(({ step }) => varying.has(step));
    const known = estimated;
    forecasts.push(...own.map((step) => ({ seed: one.seed, ...withEstimate(step, known.get(step.step)) })));
  }
  return { steps: forecasts, estimated: estimated ?? new Map() };
};

/** Tries what never ran before, unless nobody wants to wait for that. */
const estimatesOf = async (
  { plan, threads }: Planned,
  { strange }: Forecasts,
  { estimate = true, signal }: ForecastOptions,
  room: number,
  emit: (event: ReadingEvent) => void,
): Promise<Estimates> => {
  if (!estimate || strange.size === 0) return new Map();
  const { decantCatalogue: catalogue } = await import('../kinds.ts');
  const { estimateSteps } = await import('../plan/estimate/estimate.ts');
  return await estimateSteps({
    ...{ plan, catalogue, threads, wanted: strange, room, signal },
    progress: (done, total) =>
      emit({ type: 'progress', step: 'trials of untrained models', progress: { done, total, unit: 'sizes' } }),
  });
};

const trainingSteps = async ({ plan }: Planned): Promise<ReadonlySet<string>> => {
  const { decantCatalogue } = await import('../kinds.ts');
  const { stageOf } = await import('../catalogue.ts');
  const trains = plan.steps.filter(({ uses, config }) => stageOf(decantCatalogue, uses)?.trains?.when(config) === true);
  return new Set(trains.map(({ id }) => id));
};

/** What a run of a file would do, without running anything of it. */
export const forecastFile = async (
  file: string,
  options: ForecastOptions,
  emit: (event: ReadingEvent) => void,
): Promise<RunForecast> => {
  const planned = await planFrom(file, options);
  const { stepRoom } = await import('../guard/limits.ts');
  const { totalsOf, warningsOf } = await import('../plan/totals.ts');
  const { name, seeds } = planned.plan;
  const room = stepRoom(options.memory).bytes;
  const { steps, estimated } = await forecastSeeds(planned, (first) =>
    estimatesOf(planned, first, options, room, emit),
  );
  const saved = Math.max(0, ...[...estimated.values()].map((one) => one.saved));
  return {
    name,
    seeds,
    steps,
    totals: totalsOf(steps, saved, room),
    warnings: warningsOf(steps, room, await trainingSteps(planned)),
  };
};
