import type { Measurements } from '../data/measurements.ts';
import type { LatencyReport, MeasurementReport } from './report.ts';
import { medianInterval, quantile, ratios } from './statistics/quantiles.ts';

/** Ratio of the slowest to the quickest third of the rounds above which the machine is said to have drifted. */
const DRIFT = 1.1;

const medians = (rounds: readonly (readonly number[])[]): readonly number[] =>
  rounds.map((runs) => quantile(runs, 0.5));

/** Latency of one model at every measured batch and length, beside the reference of the same rounds. */
export const latencyReport = (
  measurements: Measurements,
  id: string,
  reference: string | null,
): readonly LatencyReport[] => {
  const mine = measurements.models[id];
  if (mine === undefined) return [];
  const theirs = reference === null ? undefined : measurements.models[reference];
  return measurements.cells.map(({ batch, length }, c) => {
    const rounds = mine[c] ?? [];
    const runs = rounds.flat();
    const versus = theirs?.[c];
    const faster = versus === undefined ? null : ratios(medians(versus), medians(rounds));
    const p50Ms = quantile(runs, 0.5);
    return {
      batch,
      length,
      threads: measurements.threads,
      p50Ms,
      p90Ms: quantile(runs, 0.9),
      p95Ms: quantile(runs, 0.95),
      p99Ms: quantile(runs, 0.99),
      p50Interval: medianInterval(medians(rounds)),
      runs: runs.length,
      speedup: faster === null ? null : quantile(faster, 0.5),
      speedupInterval: faster === null ? null : medianInterval(faster),
      textsPerSecond: (1000 * batch) / p50Ms,
      relative: null,
    };
  });
};

/** How much slower the slowest third of the rounds was than the quickest, over all models at the first cell. */
const driftOf = (measurements: Measurements): MeasurementReport['drift'] => {
  const perModel = Object.values(measurements.models).map((cells) => medians(cells[0] ?? []));
  const rounds = perModel[0]?.length ?? 0;
  if (rounds < 3) return null;
  const thirds = [0, 1, 2].map((third) => {
    const part = perModel.map((list) =>
      quantile(list.slice(Math.floor((third * rounds) / 3), Math.floor(((third + 1) * rounds) / 3)), 0.5),
    );
    return part.reduce((sum, ms) => sum + ms, 0);
  });
  const ratio = Math.max(...thirds) / Math.min(...thirds);
  return { ratio, flagged: ratio > DRIFT };
};

export const measurementReport = (measurements: Measurements): MeasurementReport => ({
  rounds: Object.values(measurements.models)[0]?.[0]?.length ?? 0,
  threads: measurements.threads,
  processes: 1,
  referenceKernel: null,
  drift: driftOf(measurements),
});
