import { type Stream, stream } from '../../data/random.ts';
import type { Judged } from '../../reports/compare.ts';
import type { DiffSide } from '../../reports/diff/compare.ts';
import type { LatencyReport, StageReport } from '../../reports/report.ts';
import { medianInterval, quantile } from '../../reports/statistics/quantiles.ts';
import { bare, bareStage } from './sample.ts';

export const ROUNDS = 25;
const CELLS = [
  { batch: 1, length: 15, noise: 0.06 },
  { batch: 1, length: 38, noise: 0.04 },
  { batch: 32, length: 15, noise: 0.02 },
];
const STAGES = 8;

/** Speed of a machine that swings by a third: it wanders between quick and slow, and starts anywhere. */
const swing = (random: Stream): readonly number[] => {
  let level = random.uniform();
  return Array.from({ length: ROUNDS }, () => {
    level += 0.15 * random.normal();
    level = Math.abs(level % 2);
    level = level > 1 ? 2 - level : level;
    return 1 + level / 3;
  });
};

/** How much of the machine's slowness a model feels beside the kernel, which feels all of it. */
const FELT = { least: 0.85, most: 1.1 };

/** Deviation between two processes that run the same model, in logarithms. */
const LAYOUT = 0.01;

const cellReport = (
  cell: (typeof CELLS)[number],
  base: number,
  felt: number,
  speeds: readonly number[],
  random: Stream,
): LatencyReport => {
  const layout = Math.exp(LAYOUT * random.normal());
  const jitter = (noise: number): number => {
    const hiccup = random.uniform() < 0.05 ? 1 + random.uniform() / 2 : 1;
    return hiccup * Math.exp(noise * random.normal());
  };
  const times = speeds.map((speed) => base * layout * speed ** felt * jitter(cell.noise));
  const ratios = times.map((ms, round) => ms / ((speeds[round] ?? 1) * jitter(0.01)));
  const p50Ms = quantile(times, 0.5);
  return {
    ...{ batch: cell.batch, length: cell.length, threads: 1, runs: 8 * ROUNDS, textsPerSecond: 1000 / p50Ms },
    ...{ p50Ms, p90Ms: quantile(times, 0.9), p95Ms: quantile(times, 0.95), p99Ms: quantile(times, 0.99) },
    p50Interval: medianInterval(times),
    ...{ speedup: null, speedupInterval: null },
    relative: { estimate: quantile(ratios, 0.5), ...medianInterval(ratios) },
  };
};

/** A run measured on a day of its own; `slower` multiplies the time of the last stage. */
export const simulatedRun = (seed: number, { slower = 1 } = {}): DiffSide => {
  const random = stream(seed, 'simulated run');
  const models = stream(0, 'simulated models');
  const speeds = swing(random);
  const stages = Array.from({ length: STAGES }, (_, s): StageReport => {
    const factor = s === STAGES - 1 ? slower : 1;
    const felt = FELT.least + (FELT.most - FELT.least) * models.uniform();
    const latency = CELLS.map((cell, c) => cellReport(cell, factor * (0.2 + s) * (1 + 3 * c), felt, speeds, random));
    return bareStage(`stage-${s}`, { latency });
  });
  const kernel = { name: 'kernel', p50Ms: quantile(speeds, 0.5) };
  return {
    report: {
      ...bare,
      stages,
      measurement: { rounds: ROUNDS, threads: 1, processes: 1, referenceKernel: kernel, drift: null },
    },
    scores: new Map(),
    examples: null,
    name: { where: `run ${seed}`, name: 'simulated', created: '' },
  };
};

const CLASSES = 4;

/** Answers as logits: 1 for the class that is said. */
export const judged = (labels: Int32Array, right: (example: number) => boolean): Judged => {
  const logits = new Float32Array(labels.length * CLASSES);
  labels.forEach((label, i) => {
    logits[i * CLASSES + (right(i) ? label : (label + 1) % CLASSES)] = 1;
  });
  return { scored: { classes: CLASSES, labels, logits }, ids: Int32Array.from(labels.keys()), texts: new Map() };
};

const qualityOf = ({ scored }: Judged, correct: number): StageReport['quality'] => ({
  accuracy: correct / scored.labels.length,
  accuracyInterval: { low: 0, high: 1 },
  macroF1: 0,
  macroF1Interval: { low: 0, high: 1 },
  loss: 0,
  calibrationError: 0,
  examples: scored.labels.length,
  classes: [],
});

/** The same run with one evaluated stage whose answers are right as told. */
export const evaluated = (side: DiffSide, labels: Int32Array, right: Uint8Array): DiffSide => {
  const answers = judged(labels, (example) => right[example] === 1);
  const correct = right.reduce((sum, one) => sum + one, 0);
  const stages = side.report.stages.map((stage) => ({ ...stage, quality: qualityOf(answers, correct) }));
  return {
    ...side,
    report: { ...side.report, stages },
    scores: new Map(stages.map(({ id }) => [id, answers])),
    examples: 'the same test split',
  };
};
