import type { Measurements, Times, Turn } from '../data/measurements.ts';
import { clusterQuantile, clusterRatio } from '../data/statistics/clusters.ts';
import type { Interval } from '../data/statistics/intervals.ts';
import { quantile, ratios } from '../data/statistics/quantiles.ts';
import { isBusy, isUndisturbed, swings, undisturbedShare } from './disturbed.ts';
import type { LatencyReport, LoadingReport, MeasurementReport } from './report.ts';

/** Ratio of the slowest to the quickest third of the rounds above which the machine is said to have drifted. */
const DRIFT = 1.1;

/** A list of rounds cut where one process ended and the next began. */
const byProcess = <T>(rounds: readonly T[], { processes }: Measurements): readonly (readonly T[])[] => {
  let end = 0;
  return processes.map((process) => {
    const start = end;
    end += process.rounds;
    return rounds.slice(start, end);
  });
};

const medianOf = ({ ms }: Turn): number => quantile(ms, 0.5);

/** Whether other work had the processor too often, or the memory. */
const isUnsteady = (turns: readonly Turn[]): boolean =>
  isBusy(turns) || swings(turns.filter(isUndisturbed).map(medianOf));

/** What a disturbed turn has no part in. */
const undisturbedMedian = (turn: Turn): number => (isUndisturbed(turn) ? medianOf(turn) : Number.NaN);

/** p50 of one over p50 of the other at a cell, from paired rounds; null where other work had a part in them. */
const ratioAt = (over: Times | undefined, under: Times, cell: number, all: Measurements): Interval | null => {
  const [above, below] = [over?.[cell], under[cell]];
  if (above === undefined || below === undefined || above.length === 0) return null;
  if (isUnsteady(above) || isUnsteady(below)) return null;
  return clusterRatio(byProcess(ratios(above.map(undisturbedMedian), below.map(undisturbedMedian)), all));
};

/** Runs of a cell by process: of undisturbed turns, or of all where these are too few to stand for it. */
const runsOf = (turns: readonly Turn[], busy: boolean, all: Measurements): readonly (readonly number[])[] =>
  byProcess(turns, all)
    .map((some) => some.filter((turn) => busy || isUndisturbed(turn)).flatMap(({ ms }) => ms))
    .filter((runs) => runs.length > 0);

/** Latency of one model at every measured batch and length, beside the reference and the kernel of the same rounds. */
export const latencyReport = (
  measurements: Measurements,
  id: string,
  reference: string | null,
): readonly LatencyReport[] => {
  const mine = measurements.models[id];
  if (mine === undefined) return [];
  const theirs = reference === null ? undefined : measurements.models[reference];
  return measurements.cells.flatMap(({ batch, length }, c) => {
    const turns = mine[c] ?? [];
    if (turns.length === 0) return [];
    const busy = isUnsteady(turns) || isUnsteady(theirs?.[c] ?? []);
    const clusters = runsOf(turns, isBusy(turns), measurements);
    const runs = clusters.flat();
    const p50Ms = quantile(runs, 0.5);
    const speedup = ratioAt(theirs, mine, c, measurements);
    const cell: LatencyReport = {
      batch,
      length,
      threads: measurements.threads,
      busy,
      p50Ms,
      p90Ms: quantile(runs, 0.9),
      p95Ms: quantile(runs, 0.95),
      p99Ms: quantile(runs, 0.99),
      p50Interval: clusterQuantile(clusters, 0.5),
      p90Interval: clusterQuantile(clusters, 0.9),
      p95Interval: clusterQuantile(clusters, 0.95),
      p99Interval: clusterQuantile(clusters, 0.99),
      runs: runs.length,
      speedup: speedup?.estimate ?? null,
      speedupInterval: speedup === null ? null : { low: speedup.low, high: speedup.high },
      textsPerSecond: (1000 * batch) / p50Ms,
      relative: ratioAt(mine, measurements.kernel.times, c, measurements),
    };
    return [cell];
  });
};

/** Loading is no straight work: it waits for files, too. */
const MOST_WAITED_LOADING = 0.2;

/** Medians over the processes in which a model was loaded. */
export const loadingReport = ({ loading }: Measurements, id: string): LoadingReport | null => {
  const mine = loading[id];
  if (mine === undefined || mine.peakBytes.length === 0) return null;
  return {
    sessionMs: quantile(mine.sessionMs, 0.5),
    firstRunMs: quantile(mine.firstRunMs, 0.5),
    peakBytes: Math.round(quantile(mine.peakBytes, 0.5)),
    processes: mine.peakBytes.length,
    busy: quantile(mine.waited, 0.5) > MOST_WAITED_LOADING,
  };
};

/** How much slower the kernel was in the slowest third of the rounds than in the quickest. */
const driftOf = ({ kernel }: Measurements): MeasurementReport['drift'] => {
  const cells = kernel.times.map((turns) => turns.map(medianOf));
  const rounds = cells[0]?.length ?? 0;
  if (rounds < 3) return null;
  const thirds = [0, 1, 2].map((third) => {
    const part = cells.flatMap((list) =>
      list.slice(Math.floor((third * rounds) / 3), Math.floor(((third + 1) * rounds) / 3)),
    );
    return quantile(part, 0.5);
  });
  const ratio = Math.max(...thirds) / Math.min(...thirds);
  return Number.isFinite(ratio) ? { ratio, flagged: ratio > DRIFT } : null;
};

const warmUpOf = ({ processes }: Measurements): MeasurementReport['warmUp'] => {
  const all = processes.flatMap(({ warmUp }) => Object.values(warmUp).flat());
  if (all.length === 0) return null;
  const runs = all.map((one) => one.runs);
  const unsettled = all.filter(({ settled }) => !settled).length;
  return { medianRuns: quantile(runs, 0.5), mostRuns: Math.max(...runs), unsettledShare: unsettled / all.length };
};

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

const loadOf = ({ load, processes, kernel, models }: Measurements): MeasurementReport['load'] => {
  const cells = [kernel.times, ...Object.values(models)].flat();
  const turns = cells.flat();
  return {
    busy: cells.some(isBusy),
    disturbed: 1 - undisturbedShare(turns),
    waited: turns.length === 0 ? 0 : sumOf(turns.map(({ waited }) => waited)) / turns.length,
    average: load.average,
    stolen: load.stolen,
    switches: sumOf(processes.map(({ switches }) => switches)),
  };
};

export const measurementReport = (measurements: Measurements): MeasurementReport => {
  const { processes, threads, kernel, runtime, on } = measurements;
  return {
    ...(on === undefined ? {} : { on }),
    rounds: processes.reduce((sum, { rounds }) => sum + rounds, 0),
    threads,
    processes: processes.length,
    referenceKernel: {
      name: kernel.name,
      p50Ms: quantile(
        kernel.times.flat().flatMap(({ ms }) => ms),
        0.5,
      ),
    },
    load: loadOf(measurements),
    drift: driftOf(measurements),
    warmUp: warmUpOf(measurements),
    runtimePeakBytes: runtime.peakBytes.length === 0 ? null : Math.round(quantile(runtime.peakBytes, 0.5)),
  };
};
