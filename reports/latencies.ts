import type { EngineTimes, Measurements } from '../data/measurements.ts';
import { latencyReport, loadingReport, measurementReport } from './latency.ts';
import type { MeasurementReport, StageReport } from './report.ts';

/** The same measurements as if another engine were the first. */
const seenFrom = ({ schema, threads, cells }: Measurements, other: EngineTimes): Measurements => ({
  ...{ schema, threads, cells },
  ...other,
});

/** How latency was measured, on the first engine and on those beside it. */
export const allMeasurements = (all: Measurements): MeasurementReport => {
  const others = (all.others ?? []).map((other) => ({ ...measurementReport(seenFrom(all, other)), on: other.on }));
  return { ...measurementReport(all), ...(others.length === 0 ? {} : { otherEngines: others }) };
};

type OnEngines = Pick<StageReport, 'latency' | 'loading' | 'lacking' | 'otherEngines'>;

const onEngine = (all: Measurements, id: string, reference: string | null) => {
  const lacking = all.lacking?.[id];
  return {
    ...{ latency: latencyReport(all, id, reference), loading: loadingReport(all, id) },
    ...(lacking === undefined ? {} : { lacking }),
  };
};

/** What a stage takes on the first engine and on those beside it; nothing of an engine that it was not tried on. */
export const latencies = (all: Measurements | null, id: string, reference: string | null): OnEngines => {
  if (all === null) return { latency: [], loading: null };
  const others = (all.others ?? [])
    .map((other) => ({ engine: other.on.engine, ...onEngine(seenFrom(all, other), id, reference) }))
    .filter(({ latency, lacking }) => latency.length > 0 || lacking !== undefined);
  return { ...onEngine(all, id, reference), ...(others.length === 0 ? {} : { otherEngines: others }) };
};
