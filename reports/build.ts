import { type Measurements, readMeasurements } from '../data/measurements.ts';
import { type Profile, readProfile } from '../data/profile.ts';
import type { Artifact } from '../ground/artifact.ts';
import { choice } from '../ground/reported/choice.ts';
import { type DatasetMetrics, datasetMetrics } from '../ground/reported/data.ts';
import { type EvaluationMetrics, evaluationMetrics } from '../ground/reported/evaluation.ts';
import { quantizationReport } from '../ground/reported/quantization.ts';
import { FOLDER, type StageMetrics, stageMetrics } from '../ground/reported/stage.ts';
import { type DatasetTask, dataTask, usualTask } from '../ground/tasks.ts';
import { answersReport } from './answers.ts';
import { baselinesReport, type JudgedBaseline, judgeBaselines, overBaseline, strongest } from './baselines.ts';
import { doneTo } from './causes/done.ts';
import { causesOf, isUndecided } from './causes/index.ts';
import { compare, differenceFrom } from './compare.ts';
import { costOf } from './cost.ts';
import { lackingNotes } from './engines.ts';
import { describeEnvironment } from './environment.ts';
import { whole } from './figures.ts';
import { gapOf } from './gap.ts';
import { judge } from './gates/judge.ts';
import { exampleTexts, type Judged, judgeStages } from './judged.ts';
import { allMeasurements, latencies } from './latencies.ts';
import { agreementReport, qualityReport } from './quality.ts';
import { outputOf, type RanOn, type RunSummary, type StageSummary, type StepSummary, stepMaking } from './record.ts';
import type {
  ClientReport,
  Comparison,
  ModelReport,
  QualityReport,
  Report,
  StageReport,
  TrainingReport,
} from './report.ts';
import { trainedFor } from './schema/names.ts';
import { timeReport } from './time.ts';
import { trainingNotes } from './training-notes.ts';
import { unfinishedOf } from './unfinished.ts';
import { headline } from './verdict.ts';
import { savedByZeros } from './zeros.ts';

const primaryFile = 'model.onnx';

const evaluationOf = ({ evaluation }: StageSummary): EvaluationMetrics | null =>
  evaluation === null ? null : evaluationMetrics.parse(evaluation.metrics);

const modelReport = (stage: StageSummary, evaluation: EvaluationMetrics | null): ModelReport | null => {
  const output = stage.step?.outputs.model;
  if (output === undefined || evaluation === null) return null;
  const { figures, dimensions } = evaluation;
  const weights = modelFiles(output.artifact);
  return {
    file: `models/${stage.id}/${primaryFile}`,
    sha256: weights.sha256,
    bytes: weights.bytes,
    gzipBytes: figures.gzipBytes,
    brotliBytes: figures.brotliBytes,
    parameters: figures.parameters,
    nonzero: figures.nonzero,
    macs: figures.macs,
    macsLength: figures.macsLength,
    ...(figures.zeros === undefined ? {} : { zeros: figures.zeros }),
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

const metricsOf = (step: StepSummary | null): StageMetrics => stageMetrics.parse(step?.metrics ?? {});

const trainingReport = (
  { training }: StageMetrics,
  { config }: StageSummary,
  { task }: Context,
): TrainingReport | null => {
  if (training === undefined) return null;
  const { steps, epochs, tokensPerSecond, paddingFraction, leftOut, curve } = training;
  const { metric = trainedFor(config, task) } = training;
  const missed = leftOut === undefined ? {} : { leftOut };
  return { steps, epochs, tokensPerSecond, paddingFraction, ...missed, metric, curve };
};

/** What transformers.js does with the test texts; null where a model was not evaluated, or by a version that did not look. */
const clientReport = (evaluation: EvaluationMetrics | null, quality: QualityReport | null): ClientReport | null => {
  if (evaluation?.client === undefined) return null;
  const { scoreChange, ...figures } = evaluation.client;
  const known = quality !== null && scoreChange !== null && figures.texts > 0;
  return { ...figures, score: known ? quality.score + scoreChange : null };
};

/** Everything that stages are compared with and by. */
interface Context {
  readonly reference: string | null;
  readonly scores: ReadonlyMap<string, Judged | null>;
  readonly measurements: Measurements | null;
  readonly profile: Profile | null;
  readonly classes: readonly string[];
  readonly all: readonly StageSummary[];
  /** What every model has to beat. */
  readonly baseline: JudgedBaseline | undefined;
  /** What the data is for. */
  readonly task: DatasetTask;
}

/** Against the reference, and against the model it was made from where that is another one. */
const comparisonsOf = (stage: StageSummary, { reference, scores, classes }: Context): readonly Comparison[] => {
  const mine = scores.get(stage.id);
  const previous = stage.inputs.model ?? stage.inputs.from;
  const pairs: readonly (readonly [Comparison['role'], string | null | undefined])[] = [
    ['reference', reference],
    ['previous', previous === reference ? null : previous],
  ];
  return pairs.flatMap(([role, versus]) => {
    const other = versus == null || versus === stage.id ? null : scores.get(versus);
    return mine == null || other == null || versus == null
      ? []
      : (compare(mine, other, { role, versus, classes }) ?? []);
  });
};

/** Which engine was taken for a training, and what else was tried. */
const choiceNotes = ({ choice: step }: StageSummary): readonly string[] => {
  if (step === undefined) return [];
  const { engine, tried } = choice.parse(step.metrics);
  if (tried.length < 2) return [];
  const speeds = tried.map(({ engine: name, tokensPerSecond, problem }) => {
    const speed = tokensPerSecond === null ? '' : `${whole(tokensPerSecond)} tokens/s`;
    return `${name} ${[speed, problem ?? ''].filter((text) => text !== '').join(', left out: ')}`;
  });
  return [`trained on ${engine}, by the first updates on each engine: ${speeds.join('; ')}`];
};

/** Figures of another device than the CPU are told as such. */
const placeNotes = ({ step, evaluation }: StageSummary): readonly string[] => {
  const [made, judged] = [step?.ranOn, evaluation?.ranOn];
  const on = ({ engine, device }: RanOn): string => `${engine} (${device})`;
  return [
    ...(made === undefined ? [] : [`its graphs ran on ${on(made)}`]),
    ...(judged === undefined || judged.engine === made?.engine ? [] : [`its answers are those of ${on(judged)}`]),
  ];
};

/** Lines of code that use a folder by its place beside the report. */
const usageOf = (id: string, { usage }: StageMetrics): StageReport['usage'] => {
  if (usage === undefined) return null;
  const placed = (text: string): string => text.replaceAll(FOLDER, `./${id}`);
  return { node: placed(usage.node), browser: placed(usage.browser), python: placed(usage.python) };
};

/** What became of its weights; nothing of records of earlier versions, which told less. */
const quantizationOf = ({ quantization }: StageMetrics): Pick<StageReport, 'quantization'> => {
  const read = quantizationReport.safeParse(quantization);
  return read.success ? { quantization: read.data } : {};
};

const stageReport = (stage: StageSummary, context: Context): StageReport => {
  const metrics = metricsOf(stage.step);
  const evaluation = evaluationOf(stage);
  const scores = context.scores.get(stage.id) ?? null;
  const quality = scores === null ? null : qualityReport(scores, context.classes);
  const reference = context.reference === null ? null : (context.scores.get(context.reference) ?? null);
  const undecided = context.profile !== null && isUndecided(context.profile, stage.id);
  return {
    id: stage.id,
    uses: stage.uses,
    version: stage.version,
    config: stage.config,
    inputs: stage.inputs,
    cached: stage.step?.cached ?? false,
    seconds: (stage.step?.seconds ?? 0) + stage.extraSeconds,
    ranOn: stage.step?.ranOn ?? null,
    model: modelReport(stage, evaluation),
    quality,
    agreement: agreementReport(scores, reference),
    difference: scores === null || reference === null ? null : differenceFrom(scores, reference),
    overBaseline: overBaseline(scores, quality, context.baseline),
    comparisons: comparisonsOf(stage, context),
    ...latencies(context.measurements, stage.id, context.reference),
    time: context.profile === null || undecided ? null : timeReport(context.profile, stage.id),
    undecided,
    causes: context.profile === null ? [] : causesOf(context.profile, stage.id, doneTo(context.all, stage.id)),
    gap: context.profile === null ? null : gapOf(context.profile, stage.id),
    training: trainingReport(metrics, stage, context),
    client: clientReport(evaluation, quality),
    ...(evaluation?.sample === undefined ? {} : { sample: evaluation.sample }),
    ...quantizationOf(metrics),
    usage: usageOf(stage.id, metrics),
    notes: [
      ...[...choiceNotes(stage), ...placeNotes(stage), ...trainingNotes(metrics)],
      ...savedByZeros(evaluationOf(stage)?.figures.zeros),
      ...[...(stage.askedNotes ?? []), ...(metrics.notes ?? []), ...(evaluation?.notes ?? [])],
    ],
  };
};

const dataRemarks = ({ dropped, remarks }: DatasetMetrics): readonly string[] => [
  ...(dropped === 0 ? [] : [`${dropped} rows without a text or a label were left out`]),
  ...remarks,
];

/** What every model says alike of the data stands at the first of them. */
const saidOnce = (stages: readonly StageReport[]): readonly StageReport[] => {
  const said = new Set<string>();
  return stages.map((stage) => {
    const notes = stage.notes.filter((note) => !said.has(note));
    for (const note of notes) said.add(note);
    return { ...stage, notes };
  });
};

/** A figure that is missing is told at every stage that has none. */
const withLacking = (stages: readonly StageReport[], report: Pick<Report, 'measurement'>): readonly StageReport[] =>
  stages.map((stage) => {
    const notes = lackingNotes(stage, report);
    return notes.length === 0 ? stage : { ...stage, notes: [...stage.notes, ...notes] };
  });

/** What is known of the texts, as far as they were read. */
const dataReport = (
  { data: uses, dataName }: RunSummary,
  dataset: DatasetMetrics | null,
): Omit<Report['data'], 'baselines'> => ({
  uses,
  ...(dataName === undefined ? {} : { name: dataName }),
  task: dataset?.task ?? usualTask,
  train: dataset?.train ?? 0,
  unlabelled: dataset?.unlabelled ?? 0,
  validation: dataset?.validation ?? 0,
  test: dataset?.test ?? 0,
  classes: dataset?.classes ?? [],
  remarks: dataset === null ? [] : dataRemarks(dataset),
});

/**
 * The report of a run, finished or not, computed from records alone: nothing is run or measured here. The reference is
 * the first stage whose model does what the data is for.
 */
export const buildReport = async (run: RunSummary): Promise<Report> => {
  const finished = run.stages.filter((stage) => stage.step !== null);
  const read = stepMaking(run, 'dataset');
  const dataset = read === null ? null : datasetMetrics.parse(read.metrics);
  const task = dataset?.task ?? usualTask;
  const texts = await exampleTexts(outputOf(run, 'dataset'));
  const classes = dataset?.classes ?? [];
  const { scores, reference } = await judgeStages(finished, task, classes, texts);
  const measured = outputOf(run, 'measurements');
  const measurements = measured === undefined ? null : await readMeasurements(measured.path);
  const profiled = outputOf(run, 'profile');
  const profile = profiled === undefined ? null : await readProfile(profiled.path);
  const judged = run.stages.find(({ id }) => id === reference);
  const besides = judged === undefined ? undefined : evaluationOf(judged)?.baselines;
  const baselines = await judgeBaselines(run, besides, { task: dataTask(task), classes }, texts);
  const baseline = strongest(baselines, dataTask(task));
  const context: Context = { reference, scores, measurements, profile, classes, all: run.stages, baseline, task };
  const measurement = measurements === null ? null : allMeasurements(measurements);
  const unfinished = unfinishedOf(run);
  const report: Report = {
    schema: 'decant.report/1',
    name: run.name,
    created: run.created,
    ...(unfinished === undefined ? {} : { unfinished }),
    seed: run.seed,
    pipeline: {
      ...{ yaml: run.yaml, overrides: run.overrides },
      ...(run.until === undefined ? {} : { until: run.until }),
    },
    environment: describeEnvironment(run.threads, run.decantVersion),
    data: {
      ...dataReport(run, dataset),
      baselines: baselinesReport(baselines, scores.get(reference ?? '') ?? null, classes),
    },
    reference,
    measurement,
    cost: costOf(run),
    stages: withLacking(saidOnce(finished.map((stage) => stageReport(stage, context))), { measurement }),
    answers: null,
    gates: [],
    seconds: run.seconds,
  };
  const shipped = headline(report)?.id;
  const answers = shipped === undefined ? null : answersReport(shipped, scores.get(shipped) ?? null, classes);
  const evidence = { side: { report, scores, examples: null }, baseline: null, before: (id: string) => id };
  return { ...report, answers, gates: run.gates.map((gate) => judge(gate, evidence)) };
};
