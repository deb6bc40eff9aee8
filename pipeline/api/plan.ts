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

/** What each variant and seed would do; what an earlier one has, too, is told of that one only. */
const forecastRuns = async (
  { plans, store, force, threads }: Planned,
  estimates: (first: Forecasts) => Promise<Estimates>,
): Promise<{ readonly steps: readonly SeedForecast[]; readonly estimated: Estimates }> => {
  const { decantCatalogue: catalogue } = await import('../kinds.ts');
  const { forecast } = await import('../plan/forecast.ts');
  const { Sources } = await import('../plan/fingerprint.ts');
  const { Store } = await import('../store/store.ts');
  const { membersOf, ownSteps } = await import('../plan/members.ts');
  // Only read: nothing is created where there is no store yet.
  const options = { catalogue, store: new Store(store), force, threads, sources: new Sources() };
  const members = membersOf(plans);
  const forecasts: SeedForecast[] = [];
  let estimated: Estimates | undefined;
  for (const [at, plan] of members.entries()) {
    const all = await forecast({ ...options, plan });
    estimated ??= await estimates(all);
    const [own, known] = [ownSteps(members, at, catalogue), estimated];
    const which = { ...(plan.variant === undefined ? {} : { variant: plan.variant }), seed: plan.seed };
    const steps = all.steps.filter(({ step }) => own.has(step));
    forecasts.push(...steps.map((step) => ({ ...which, ...withEstimate(step, known.get(step.step)) })));
  }
  return { steps: forecasts, estimated: estimated ?? new Map() };
};

/** Tries what never ran before, unless nobody wants to wait for that. */
const estimatesOf = async (
  { plans: [plan], threads }: Planned,
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

const trainingSteps = async ({ plans: [plan] }: Planned): Promise<ReadonlySet<string>> => {
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
  const [{ name, seeds, variants }] = planned.plans;
  const room = stepRoom(options.memory).bytes;
  const { steps, estimated } = await forecastRuns(planned, (first) => estimatesOf(planned, first, options, room, emit));
  const saved = Math.max(0, ...[...estimated.values()].map((one) => one.saved));
  return {
    name,
    ...(variants === undefined ? {} : { variants }),
    seeds,
    steps,
    totals: totalsOf(steps, saved, room),
    warnings: warningsOf(steps, room, await trainingSteps(planned)),
  };
};
