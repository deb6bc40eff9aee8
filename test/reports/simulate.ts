import { choices } from '../../data/evidence.ts';
import { type Stream, stream } from '../../data/random.ts';
import { criticalValue } from '../../data/statistics/distributions.ts';
import { quantile } from '../../data/statistics/quantiles.ts';
import { dataTask } from '../../ground/tasks.ts';
import type { DiffSide } from '../../reports/diff/compare.ts';
import type { Judged } from '../../reports/judged.ts';
import type { LatencyReport, StageReport } from '../../reports/report.ts';
import { bare, bareStage, fullReport, latency } from './sample.ts';

const PROCESSES = 8;
const ROUNDS_EACH = 3;
const ROUNDS = PROCESSES * ROUNDS_EACH;
const CELLS = [
  { batch: 1, length: 15, noise: 0.06 },
  { batch: 1, length: 38, noise: 0.04 },
  { batch: 32, length: 15, noise: 0.02 },
];
const STAGES = 8;

/** Slowness of a machine that swings by a third: it wanders between quick and slow, and starts anywhere. */
const swing = (random: Stream): readonly number[] => {
  let level = random.uniform();
  return Array.from({ length: ROUNDS }, () => {
    level += 0.4 * random.normal();
    level = Math.abs(level % 2);
    level = level > 1 ? 2 - level : level;
    return 1 + level / 3;
  });
};

/** How much of the machine's slowness a model feels beside the kernel, which feels all of it. */
const FELT = { least: 0.85, most: 1.1 };

/** Deviation between two processes that run the same graph, in logarithms. */
const LAYOUT = 0.015;

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

/** A figure from its values in each process, with Student's interval over processes. */
const overProcesses = (logs: readonly number[]): { estimate: number; low: number; high: number } => {
  const centre = mean(logs);
  const variance = logs.reduce((sum, log) => sum + (log - centre) ** 2, 0) / (logs.length - 1);
  const half = criticalValue(0.05, logs.length - 1) * Math.sqrt(variance / logs.length);
  return { estimate: Math.exp(centre), low: Math.exp(centre - half), high: Math.exp(centre + half) };
};

const processMedians = (rounds: readonly number[]): readonly number[] =>
  Array.from({ length: PROCESSES }, (_, p) =>
    Math.log(quantile(rounds.slice(p * ROUNDS_EACH, (p + 1) * ROUNDS_EACH), 0.5)),
  );

/** One factor a process, by round. */
const perProcess = (draw: () => number): readonly number[] =>
  Array.from({ length: PROCESSES }, draw).flatMap((factor) => Array(ROUNDS_EACH).fill(factor));

const cellReport = (
  cell: (typeof CELLS)[number],
  base: number,
  felt: number,
  { speeds, kernels }: { readonly speeds: readonly number[]; readonly kernels: readonly number[] },
  random: Stream,
): LatencyReport => {
  const layout = perProcess(() => Math.exp(LAYOUT * random.normal()));
  const jitter = (noise: number): number => {
    const hiccup = random.uniform() < 0.05 ? 1 + random.uniform() / 2 : 1;
    return hiccup * Math.exp(noise * random.normal());
  };
  const times = speeds.map((speed, round) => base * (layout[round] ?? 1) * speed ** felt * jitter(cell.noise));
  const { estimate: p50Ms, low, high } = overProcesses(processMedians(times));
  return {
    ...latency(cell.batch, p50Ms, 1),
    ...{ length: cell.length, p50Interval: { low, high }, speedup: null, speedupInterval: null },
    relative: overProcesses(processMedians(times.map((ms, round) => ms / (kernels[round] ?? 1)))),
  };
};

const {
  measurement,
  stages: [first],
} = fullReport();
const model = first?.model ?? null;
if (measurement === null) throw new Error('the sample report measured nothing');

const CROWDED = 2;

/** Memory laid out unluckily costs a matrix product so much in a whole process. */
const UNLUCKY = 1.38;

/**
 * A run measured on a day of its own. `slower` multiplies the time of the last stage, `crowded` that of the
 * first ones, as work beside a measurement does to models that need the memory; `unlucky` is the share of processes
 * in which the reference kernel has a slow layout.
 */
export const simulatedRun = (seed: number, { slower = 1, crowded = 1, unlucky = 0 } = {}): DiffSide => {
  const random = stream(seed, 'simulated run');
  const models = stream(0, 'simulated models');
  const speeds = swing(random);
  const layout = perProcess(() => Math.exp(LAYOUT * random.normal()) * (random.uniform() < unlucky ? UNLUCKY : 1));
  const kernels = speeds.map((speed, round) => speed * (layout[round] ?? 1) * Math.exp(0.01 * random.normal()));
  const stages = Array.from({ length: STAGES }, (_, s): StageReport => {
    const factor = s === STAGES - 1 ? slower : s < CROWDED ? crowded : 1;
    const felt = FELT.least + (FELT.most - FELT.least) * models.uniform();
    const latency = CELLS.map((cell, c) =>
      cellReport(cell, factor * (0.2 + s) * (1 + 3 * c), felt, { speeds, kernels }, random),
    );
    return bareStage(`stage-${s}`, { latency, model: model && { ...model, sha256: `model ${s}` } });
  });
  const referenceKernel = { name: 'kernel', p50Ms: quantile(kernels, 0.5) };
  return {
    report: {
      ...bare,
      stages,
      measurement: { ...measurement, rounds: ROUNDS, processes: PROCESSES, referenceKernel },
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
  const ids = Int32Array.from(labels.keys());
  return {
    ...choices({ classes: CLASSES, labels, logits }),
    task: dataTask('text-classification'),
    ids,
    textOf: () => '',
  };
};

const qualityOf = ({ ids }: Judged, correct: number): StageReport['quality'] => ({
  ...{ metric: 'accuracy', score: correct / ids.length, scoreInterval: { low: 0, high: 1 } },
  ...{ more: {}, examples: ids.length, classes: [] },
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
