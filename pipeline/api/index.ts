import { engines as kinds } from '../../engine/engines/index.ts';
import type { Progress } from '../../ground/progress.ts';
import type { Comparison } from '../../reports/comparison/comparison.ts';
import type { Diff } from '../../reports/diff/diff.ts';
import type { Report } from '../../reports/report.ts';
import type { Listed } from '../clean/runs.ts';
import type { RunEvent } from '../events.ts';
import type { InitOptions } from '../first/options.ts';
import { startJob } from './job.ts';
import type { Job } from './job-type.ts';
import type { Given } from './types/answers.ts';
import type { Estimate, EstimateOptions } from './types/estimates.ts';
import type {
  Check,
  Diagnosis,
  DoctorOptions,
  FloatOptions,
  GradientOptions,
  Gradients,
  Inputs,
  OptimizedGraph,
  PrunedGraph,
  PruneOptions,
  QuantizedGraph,
  QuantizeOptions,
} from './types/graphs.ts';
import type {
  Benchmark,
  BenchmarkOptions,
  EvaluateOptions,
  Evaluation,
  Exported,
  ExportOptions,
  Generated,
  GenerateOptions,
  InspectedModel,
  InspectOptions,
  LoadedModel,
  LoadOptions,
  ModelProgress,
  PredictedTable,
  Predictions,
  PredictOptions,
  ReadingEvent,
  TableOptions,
  WrittenPiece,
} from './types/models.ts';
import type {
  Cleaned,
  CleanOptions,
  CompareOptions,
  DiffFormat,
  DiffOptions,
  EngineReport,
  ForecastOptions,
  Initialized,
  PlanOptions,
  ReportFormat,
  Run,
  RunForecast,
  RunOptions,
  SchemaSubject,
  TextOptions,
  Ui,
  UiOptions,
  Validation,
} from './types/pipelines.ts';

export { strategies } from '../../engine/generation/strategies/index.ts';
export { UserError } from '../../ground/errors.ts';
export { precisions } from '../../models/precision.ts';
export { gatesFail } from '../../reports/gates/gate.ts';
export { defaultThreads } from '../plan/threads.ts';
export { dtypes } from './dtype.ts';
export { quantizeFormats } from './formats.ts';
export { RunError } from './run-error.ts';

/** What a pipeline file, a stage or a benchmark can name as its engine, `auto` aside. */
export const engineNames: readonly string[] = kinds.map(({ name }) => name);

const DEFAULT_FILE = 'pipeline.yaml';

/** Progress of a step gives way to newer progress of it; everything else is kept. */
const replaces = <E extends RunEvent>(later: E, earlier: E): boolean =>
  later.type === 'progress' && earlier.type === 'progress' && later.step === earlier.step;

/**
 * Runs a pipeline file, reusing what is cached. Iterate over it for what happens (steps begun, progress, steps done), await
 * it for the report. Throws RunError where a stage fails or `signal` stops it: what was finished is kept, and the same call
 * goes on from there.
 */
export const run = (file: string = DEFAULT_FILE, options: RunOptions = {}): Job<RunEvent, Run> =>
  startJob(async (emit) => (await import('./run.ts')).runFile(file, options, emit), replaces);

/**
 * What a run would do with each step: what is cached, what runs and why; how long each takes, how much memory and disk, by earlier
 * runs or, where there was none, by trials of untrained models of the same sizes. Runs nothing of the file itself.
 */
export const plan = (file: string = DEFAULT_FILE, options: ForecastOptions = {}): Job<ReadingEvent, RunForecast> =>
  startJob(async (emit) => (await import('./plan.ts')).forecastFile(file, options, emit), replaces);

/** Checks a pipeline file, its data and its models. Throws every problem at once, each with its line and column. */
export const validate = async (
  file: string = DEFAULT_FILE,
  options: Pick<PlanOptions, 'set'> = {},
): Promise<Validation> => (await import('./validate.ts')).validateFile(file, options);

/** Writes a commented pipeline file for files of texts; what their columns hold is recognised where nobody says. */
export const init = async (options: InitOptions): Promise<Initialized> => (await import('./init.ts')).initFile(options);

/** The report of a run: its folder (`runs/NAME`), one of its older reports (`runs/NAME@2`), or a report.json. */
export const report = async (where: string): Promise<Report> =>
  (await import('../../reports/load.ts')).loadReport(where);

/** A report as a table for the terminal, Markdown, one HTML page, JSON or CSV. */
export const renderReport = async (given: Report, format: ReportFormat, options: TextOptions = {}): Promise<string> =>
  (await import('./reports.ts')).reportIn(given, format, options);

/** Compares two runs stage by stage, with paired tests: run folders, report.json files, or `git:REVISION:PATH` of one. */
export const diff = async (before: string, after: string, options: DiffOptions = {}): Promise<Diff> =>
  (await import('./reports.ts')).compareReports(before, after, options);

/** A comparison as text for the terminal, Markdown, one HTML page or JSON. */
export const renderDiff = async (given: Diff, format: DiffFormat, options: TextOptions = {}): Promise<string> =>
  (await import('./reports.ts')).diffIn(given, format, options);

/**
 * Sets finished runs side by side as recipes: which is better than the baseline, and which differences are chance, over the same
 * texts and seeds. Takes what `diff` takes, and folders of runs: of the variants of a file.
 */
export const compare = async (runs: readonly string[], options: CompareOptions = {}): Promise<Comparison> =>
  (await import('./reports.ts')).compareRuns(runs, options);

/** Recipes side by side as text for the terminal, Markdown, one HTML page or JSON. */
export const renderComparison = async (
  given: Comparison,
  format: DiffFormat,
  options: TextOptions = {},
): Promise<string> => (await import('./reports.ts')).comparisonIn(given, format, options);

/** The reports in a folder of runs, or of one run, the newest first. */
export const runs = async (folder: string = 'runs'): Promise<readonly Listed[]> =>
  (await import('./runs.ts')).runsIn(folder);

/**
 * Serves a page of all runs in a folder to this machine: their stages and curves, running ones as they go on, any two side by
 * side, and a question to any model. Writes nothing.
 */
export const openUi = async (folder: string = 'runs', options: UiOptions = {}): Promise<Ui> =>
  (await import('./ui.ts')).serveRuns(folder, options);

/** Loads a model to be asked many times: a stage's folder, an exported one, a checkpoint's, or an ONNX file in one. */
export const loadModel = async (path: string, options: LoadOptions = {}): Promise<LoadedModel> =>
  (await import('./predict.ts')).loadFrom(path, options);

/** What a model says of some texts or pairs of texts: loaded, asked once and released. */
export const predict = (
  model: string,
  texts: readonly (string | Given)[],
  options: PredictOptions = {},
): Job<Progress, Predictions> =>
  startJob(async (emit) => (await import('./predict.ts')).predictTexts(model, texts, options, emit));

/** Writes a text on with a decoder, token by token. Iterate over it for the pieces of the text as they come. */
export const generate = (model: string, prompt: string, options: GenerateOptions = {}): Job<WrittenPiece, Generated> =>
  startJob(
    async (emit) => (await import('./generate.ts')).generateText(model, prompt, options, emit),
    () => false,
  );

/** Writes every row of a table with what a model says of its text, in order, however long the table is. */
export const predictFile = (model: string, options: TableOptions): Job<Progress, PredictedTable> =>
  startJob(async (emit) => (await import('./tables.ts')).predictRows(model, options, emit));

/** Judges one model or several by a file of labelled texts; the first is what the others are compared with. */
export const evaluate = (models: readonly string[], options: EvaluateOptions): Job<ModelProgress, Evaluation> =>
  startJob(async (emit) => (await import('./evaluate.ts')).evaluateModels(models, options, emit));

/** Times models together, as a run measures its stages; ratios are to the first. */
export const benchmark = (models: readonly string[], options: BenchmarkOptions = {}): Job<Progress, Benchmark> =>
  startJob(async (emit) => (await import('./benchmark.ts')).benchmarkModels(models, options, emit));

/** What a model takes by formula (operations, time, memory of a pass, of an update and of new tokens), beside what it took here. */
export const estimate = (model: string, options: EstimateOptions = {}): Job<Progress, Estimate> =>
  startJob(async (emit) => (await import('./estimate.ts')).estimateModel(model, options, emit));

/** What an ONNX file, or the model of a folder, is made of: layers, parameters, work, operators, sizes. */
export const inspect = async (path: string, options: InspectOptions = {}): Promise<InspectedModel> =>
  (await import('./inspect.ts')).inspectModel(path, options);

/**
 * Writes a model as a folder that transformers.js and ONNX Runtime load: a stage's folder, an exported one, a checkpoint's,
 * or a model as import takes it, such as `hub:owner/name@revision`.
 */
export const exportModel = (model: string, folder: string, options: ExportOptions = {}): Job<ReadingEvent, Exported> =>
  startJob(async (emit) => (await import('./export.ts')).exportTo(model, folder, options, emit), replaces);

/**
 * Removes heads, neurons and layers of any model: an ONNX file of any maker, a folder with one, a checkpoint, or what import takes.
 * Says what it removed. `out` that ends in .onnx is a file, else a folder with what stood around the model.
 */
export const prune = (model: string, out: string, options: PruneOptions): Job<ReadingEvent, PrunedGraph> =>
  startJob(async (emit) => (await import('./prune.ts')).pruneGraph(model, out, options, emit), replaces);

/**
 * Stores the matrices of any model in 8, 4 or 16 bits: by its weights alone, or with `data` by what it does on texts. `model` and `out`
 * are those of `prune`.
 */
export const quantize = (
  model: string,
  out: string,
  options: QuantizeOptions = {},
): Job<ReadingEvent, QuantizedGraph> =>
  startJob(async (emit) => (await import('./quantize.ts')).quantizeGraph(model, out, options, emit), replaces);

/** Fuses the operators of any model for inference. `model` and `out` are those of `prune`. */
export const optimize = (model: string, out: string, options: FloatOptions = {}): Job<ReadingEvent, OptimizedGraph> =>
  startJob(async (emit) => (await import('./optimize.ts')).optimizeGraph(model, out, options, emit), replaces);

/**
 * dL/dW of L = the sum of an output times a cotangent, for every float weight of any model that L depends on, by its name; `feeds`
 * are the inputs by name. Names are those of the file, and shapes, too; of weights that the file has twice the first has the gradient
 * of both. What was taken apart or computed with has a name of its own.
 */
export const gradients = async (model: string, feeds: Inputs, options: GradientOptions = {}): Promise<Gradients> =>
  (await import('./gradients.ts')).gradientsOf(model, feeds, options);

/**
 * Tries everything that decant can do with a model (reads, cuts, differentiates, trains, fuses, quantizes and saves it) and says
 * what stops it, in a process of its own. Iterate over it for each check as it ends.
 */
export const doctor = (model: string, options: DoctorOptions = {}): Job<Check, Diagnosis> =>
  startJob(
    async (emit) => (await import('./doctor.ts')).diagnose(model, options, emit),
    () => false,
  );

/** What models can be trained on here, each engine tried by a short training run; `names` says which, else all. */
export const engines = async (names?: readonly string[]): Promise<readonly EngineReport[]> =>
  (await import('./engines.ts')).triedEngines(names);

/** Frees what no run needs any more, and says how many bytes. */
export const clean = async (options: CleanOptions = {}): Promise<Cleaned> =>
  (await import('./clean.ts')).cleanStore(options);

/** The JSON Schema of pipeline files, of report.json, or of comparison.json. */
export const schema = async (subject: SchemaSubject = 'pipeline'): Promise<Readonly<Record<string, unknown>>> =>
  (await import('./schema.ts')).schemaOf(subject);

export type { FormatName } from '../../graph/quantize/formats/index.ts';
export type { Progress } from '../../ground/progress.ts';
export type { Comparison } from '../../reports/comparison/comparison.ts';
export type { Diff } from '../../reports/diff/diff.ts';
export type { Report } from '../../reports/report.ts';
export type { Listed as ListedRun } from '../clean/runs.ts';
export type { RunEvent } from '../events.ts';
export type { InitOptions } from '../first/options.ts';
export type { Dtype } from './dtype.ts';
export type { Job } from './job-type.ts';
export type * from './types/answers.ts';
export type * from './types/estimates.ts';
export type * from './types/graphs.ts';
export type * from './types/models.ts';
export type * from './types/pipelines.ts';
