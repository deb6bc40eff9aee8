import { z } from 'zod';
import { type Measurements, readMeasurements } from '../data/measurements.ts';
import { readPredictions } from '../data/predictions.ts';
import type { Artifact, InputArtifact } from '../stages/stage.ts';
import { describeEnvironment } from './environment.ts';
import type { RunSummary, StageSummary, StepSummary } from './record.ts';
import type { LatencyReport, ModelReport, Report, StageReport, TrainingReport } from './report.ts';
import {
  accuracy,
  agreement,
  crossEntropy,
  divergence,
  macroF1,
  medianRatio,
  pairedDifference,
  quantile,
  type Scored,
} from './statistics.ts';

const trainingSchema = z.object({
  steps: z.number(),
  epochs: z.number(),
  tokensPerSecond: z.number(),
  paddingFraction: z.number(),
  curve: z.array(z.object({ step: z.number(), epoch: z.number(), loss: z.number(), accuracy: z.number().optional() })),
});

const evaluationSchema = z.object({
  figures: z.object({
    parameters: z.number(),
    nonzero: z.number(),
    macs: z.number(),
    macsLength: z.number(),
    gzipBytes: z.number(),
  }),
  dimensions: z.record(z.string(), z.number()),
});

const datasetSchema = z.object({
  train: z.number(),
  unlabelled: z.number(),
  validation: z.number(),
  test: z.number(),
  classes: z.array(z.string()),
});

const baselineSchema = z.object({
  majority: z.object({ accuracy: z.number() }),
  linear: z.object({ accuracy: z.number() }),
});

const primaryFile = 'model.onnx';

const modelReport = (stage: StageSummary): ModelReport | null => {
  const output = stage.step?.outputs.model;
  if (output === undefined || stage.evaluation === null) return null;
  const { figures, dimensions } = evaluationSchema.parse(stage.evaluation.metrics);
  const weights = modelFiles(output.artifact);
  return {
    file: `models/${stage.id}/${primaryFile}`,
    sha256: weights.sha256,
    bytes: weights.bytes,
    gzipBytes: figures.gzipBytes,
    parameters: figures.parameters,
    nonzero: figures.nonzero,
    macs: figures.macs,
    macsLength: figures.macsLength,
    dimensions,
  };
};

/** Size and hash of the graph with its external data: one file's own hash, or the artifact's when there are several. */
const modelFiles = (artifact: Artifact): { sha256: string; bytes: number } => {
  const files = Object.entries(artifact.files).filter(([name]) => name.startsWith(primaryFile));
  const bytes = files.reduce((sum, [, file]) => sum + file.size, 0);
  const only = files.length === 1 ? files[0]?.[1].digest : undefined;
  return { sha256: only ?? artifact.digest, bytes };
};

const scoresOf = async (evaluation: StepSummary | null): Promise<Scored | null> => {
  const output: InputArtifact | undefined = evaluation?.outputs.predictions;
  if (output === undefined) return null;
  const predictions = await readPredictions(output.path);
  return predictions.ids.length === 0 ? null : predictions;
};

const latencyReport = (measurements: Measurements, id: string, reference: string | null): LatencyReport[] => {
  const mine = measurements.models[id];
  if (mine === undefined) return [];
  const theirs = reference === null ? undefined : measurements.models[reference];
  return measurements.cells.map((cell, c) => {
    const rounds = mine[c] ?? [];
    const runs = rounds.flat();
    const middle = (lists: readonly (readonly number[])[]): number[] => lists.map((list) => quantile(list, 0.5));
    const versus = theirs?.[c];
    return {
      batch: cell.batch,
      length: cell.length,
      threads: measurements.threads,
      p50Ms: quantile(runs, 0.5),
      p90Ms: quantile(runs, 0.9),
      p99Ms: quantile(runs, 0.99),
      runs: runs.length,
      speedup: versus === undefined ? null : medianRatio(middle(versus), middle(rounds)),
    };
  });
};

const trainingReport = (step: StepSummary | null): TrainingReport | null => {
  const { training } = step?.metrics ?? {};
  if (training === undefined) return null;
  const { curve, ...figures } = trainingSchema.parse(training);
  return {
    ...figures,
    curve: curve.map(({ accuracy, ...point }) => (accuracy === undefined ? point : { ...point, accuracy })),
  };
};

const notesOf = (step: StepSummary | null): string[] => {
  const { notes } = step?.metrics ?? {};
  return Array.isArray(notes) ? notes.filter((note) => typeof note === 'string') : [];
};

const stageReport = (
  stage: StageSummary,
  scores: Scored | null,
  reference: { readonly id: string | null; readonly scores: Scored | null },
  measurements: Measurements | null,
): StageReport => ({
  id: stage.id,
  uses: stage.uses,
  inputs: stage.inputs,
  cached: stage.step?.cached ?? false,
  seconds: (stage.step?.seconds ?? 0) + stage.extraSeconds,
  model: modelReport(stage),
  quality:
    scores === null
      ? null
      : {
          accuracy: accuracy(scores),
          macroF1: macroF1(scores),
          loss: crossEntropy(scores),
          examples: scores.labels.length,
        },
  agreement:
    scores === null || reference.scores === null
      ? null
      : { top1: agreement(reference.scores, scores), kl: divergence(reference.scores, scores) },
  difference: scores === null || reference.scores === null ? null : difference(scores, reference.scores),
  latency: measurements === null ? [] : latencyReport(measurements, stage.id, reference.id),
  training: trainingReport(stage.step),
  notes: notesOf(stage.step),
});

const difference = (scores: Scored, reference: Scored): StageReport['difference'] => {
  const { estimate, low, high } = pairedDifference(scores, reference);
  return { accuracy: estimate, low, high };
};

/**
 * The report of a run, finished or not, computed from records alone: nothing is run or measured here. The reference is
 * the first stage whose model classifies.
 */
export const buildReport = async (run: RunSummary): Promise<Report> => {
  const finished = run.stages.filter((stage) => stage.step !== null);
  const scores = new Map<string, Scored | null>();
  for (const stage of finished) scores.set(stage.id, await scoresOf(stage.evaluation));
  const referenceId = finished.find((stage) => scores.get(stage.id))?.id ?? null;
  const reference = { id: referenceId, scores: referenceId === null ? null : (scores.get(referenceId) ?? null) };
  const measured = run.measurement?.outputs.measurements;
  const measurements = measured === undefined ? null : await readMeasurements(measured.path);
  const dataset = run.dataset === null ? null : datasetSchema.parse(run.dataset.metrics);
  return {
    schema: 'decant.report/1',
    name: run.name,
    seed: run.seed,
    environment: describeEnvironment(run.threads, run.decantVersion),
    data: {
      uses: run.data,
      train: dataset?.train ?? 0,
      unlabelled: dataset?.unlabelled ?? 0,
      validation: dataset?.validation ?? 0,
      test: dataset?.test ?? 0,
      classes: dataset?.classes ?? [],
      baselines: run.baseline === null ? null : baselineSchema.parse(run.baseline.metrics),
    },
    reference: referenceId,
    stages: finished.map((stage) => stageReport(stage, scores.get(stage.id) ?? null, reference, measurements)),
    seconds: run.seconds,
  };
};
