import { type Targets, targetOf } from '../data/answer-targets.ts';
import { type Batch, lengthBatches } from '../data/batches.ts';
import { lengthsOf } from '../data/lengths.ts';
import { blankRows, columnsFor, putRow, type Rows } from '../data/rows.ts';
import type { Graph } from '../graph/graph.ts';
import { fuseForInference } from '../graph/rewrite/index.ts';
import type { Checkpoints } from '../ground/checkpoints.ts';
import { modelError, reworded } from '../ground/errors.ts';
import { choosesOne } from '../ground/tasks.ts';
import { expectBounded } from '../models/bounded.ts';
import { expectFinite } from '../models/finite.ts';
import type { Model } from '../models/model.ts';
import { answerName } from '../models/signature.ts';
import { type Answers, answerCount, answersAbout, placed } from './answers.ts';
import type { Encoded } from './encoded.ts';
import type { Engine, Program } from './engine.ts';
import { cpuEngine } from './engines/cpu/engine.ts';
import { feedsFor, fitted } from './feeds.ts';
import { textsOfPass } from './passes.ts';
import { type Task, taskOf } from './tasks/index.ts';

export interface PredictRequest {
  readonly model: Model;
  /** What it is asked for; the task that it was made for where it is not said. */
  readonly task?: Task;
  /** Examples as the model reads them. */
  readonly examples: readonly Encoded[];
  readonly threads: number;
  /** Where it is run; on the CPU where it is not said. */
  readonly engine?: Engine | undefined;
  /**
   * 'length' runs texts of similar length together; 'single' runs each alone without padding, which is how quantized
   * models are judged: a scale that is found at run time spans its whole batch.
   */
  readonly batching: 'length' | 'single';
  onProgress?(done: number, total: number): void;
  readonly signal?: AbortSignal;
  /** All scores of each answer ('all', the default), or where there are many classes the largest of them: so many, or as many as are usual. */
  readonly keep?: 'all' | 'largest' | number;
  /** What scores are divided by before the largest of them are kept; 1 where it is not said. */
  readonly temperature?: number;
  /** What each answer should be: a class is kept whatever its score. */
  readonly targets?: Targets;
  /** What an example is called in errors; its number where it is not said. */
  readonly called?: (text: number) => string;
  /** Where long predictions keep what is done, so that a crash costs seconds. */
  readonly checkpoints?: Checkpoints;
}

/** What has to be said once of a model that is asked many times. */
export type Loading = Pick<PredictRequest, 'model' | 'task' | 'threads' | 'engine'>;

/** A model that is loaded: what is asked comes in as many requests as one likes, one after the other. */
export interface Predictor {
  predict(asked: Omit<PredictRequest, keyof Loading>): Promise<Predicted>;
  release(): Promise<void>;
}

/** Texts of one pass. */
const BATCH = 64;

const MILLISECONDS_BETWEEN_CHECKPOINTS = 10_000;
/** So many times as long as saving takes nothing is saved again: answers of a vocabulary are hundreds of megabytes. */
const SAVING = 20;

const widthOf = ({ graph, info }: Model): number => {
  const output = answerName(info.signature);
  const width = graph.types.get(output)?.shape?.at(-1);
  if (typeof width !== 'number') throw modelError(`the width of the model's output '${output}' is not known`);
  return width;
};

const runBatch = async (
  program: Program,
  { info }: Model,
  examples: readonly Encoded[],
  batch: Batch,
): Promise<Float32Array> => {
  const outputs = await program.run(feedsFor(info, examples, batch)).catch((error: unknown) => {
    throw reworded(error, (reason) => modelError(`the model fails while it runs: ${reason}`, { cause: error }));
  });
  const [said] = Object.values(outputs);
  if (said?.data instanceof Float32Array) return said.data;
  throw modelError(`the model gave no float32 output '${answerName(info.signature)}'`);
};

/**
 * The program of a stranger's model. Where only the fused graph is refused the fault is not the model's: such an error
 * passes as it is.
 */
const compiled = async (graph: Graph, { threads, engine: asked = cpuEngine }: Loading): Promise<Program> => {
  // Kernels of integers and the like are the CPU's: a quantized model is asked there, whatever trains the others.
  const engine = asked.target.lacking(graph).length === 0 ? asked : cpuEngine;
  try {
    return await engine.compile(fuseForInference(graph), { threads, optimization: 'all', memory: 'pooled' });
  } catch (error) {
    const own = await engine.compile(graph, { threads }).catch((refused: unknown) => {
      throw reworded(refused, (reason) => modelError(reason, { cause: refused }));
    });
    await own.release();
    throw error;
  }
};

/** Refuses an answer that is none: as a class it would be the first one, and nobody would notice. */
const expectNumbers = (row: Float32Array, answer: number, { starts }: Answers, request: PredictRequest): void => {
  const at = row.findIndex((x) => !Number.isFinite(x));
  if (at < 0) return;
  const { info } = request.model;
  const text = starts.findLastIndex((start) => start <= answer);
  const column = info.labels[at] === undefined ? `number ${at}` : `class '${info.labels[at]}'`;
  const called = request.called?.(text) ?? `text ${text + 1}`;
  throw modelError(
    `the model gives ${row[at]} as ${column} of ${called}; expected finite numbers: its weights are damaged, or its values grow beyond what floats hold`,
  );
};

/** Answers so far and the batches behind them. */
interface Partial {
  readonly rows: Rows;
  batches: number;
}

const schema = 'decant.prediction/3';

const bytesOf = (array: Float32Array | Uint32Array | Uint8Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

const piecesOf = ({ data, kept, unread }: Rows): readonly Uint8Array[] =>
  (kept === undefined ? [data, unread] : [data, kept, unread]).map(bytesOf);

const resume = async (rows: Rows, checkpoints: Checkpoints | undefined): Promise<Partial> => {
  const saved = await checkpoints?.load();
  const meta = Object(saved?.meta);
  const pieces = piecesOf(rows);
  const size = pieces.reduce((sum, { length }) => sum + length, 0);
  if (saved === undefined || meta.schema !== schema || saved.data.length !== size) return { rows, batches: 0 };
  let at = 0;
  for (const piece of pieces) {
    piece.set(saved.data.subarray(at, at + piece.length));
    at += piece.length;
  }
  return { rows, batches: Number(meta.batches) };
};

const save = async ({ rows, batches }: Partial, checkpoints: Checkpoints | undefined): Promise<void> =>
  checkpoints?.save({ schema, batches }, piecesOf(rows));

const predictBatches = async (
  program: Program,
  request: PredictRequest,
  answers: Answers,
  partial: Partial,
): Promise<void> => {
  const { model, batching, onProgress, signal, checkpoints, examples, targets, temperature = 1 } = request;
  const most = textsOfPass(model, batching === 'single' ? 1 : BATCH);
  const batches = lengthBatches(lengthsOf(examples), most);
  let done = batches.slice(0, partial.batches).reduce((sum, { rows }) => sum + rows.length, 0);
  let saved = performance.now();
  let pause = MILLISECONDS_BETWEEN_CHECKPOINTS;
  for (const planned of batches.slice(partial.batches)) {
    if (signal?.aborted || performance.now() - saved > pause) {
      const began = performance.now();
      await save(partial, checkpoints);
      saved = performance.now();
      pause = Math.max(MILLISECONDS_BETWEEN_CHECKPOINTS, SAVING * (saved - began));
    }
    signal?.throwIfAborted();
    const batch = fitted(model.info, planned);
    const said = await runBatch(program, model, examples, batch);
    const { width } = partial.rows;
    const { numbers: asked, rows } = placed(answers, batch, model.info.signature);
    asked.forEach((answer, i) => {
      const row = rows[i] as number;
      const numbers = said.subarray(row * width, (row + 1) * width);
      expectNumbers(numbers, answer, answers, request);
      if (temperature !== 1 && partial.rows.kept !== undefined)
        numbers.forEach((x, at) => {
          numbers[at] = x / temperature;
        });
      putRow(partial.rows, answer, numbers, targets === undefined ? -1 : targetOf(targets, answer));
    });
    partial.batches++;
    done += batch.rows.length;
    onProgress?.(done, examples.length);
  }
};

/** What a model says about texts, without dropout. */
export interface Predicted {
  /** A row an answer: a text, or a word, in the order of the texts. Those of words that were cut off are unread. */
  readonly rows: Rows;
  readonly answers: Answers;
}

const blankFor = ({ examples, keep = 'all' }: Pick<PredictRequest, 'examples' | 'keep'>, model: Model, task: Task) => {
  const width = widthOf(model);
  const answers = answersAbout(examples);
  const most = typeof keep === 'number' ? Math.min(keep, width) : columnsFor(width);
  const columns = keep !== 'all' && choosesOne(task.name) ? most : width;
  return { answers, blank: blankRows(answerCount(answers), width, columns) };
};

/** Loads a model once for many requests. */
export const openPredictor = async (loading: Loading): Promise<Predictor> => {
  expectBounded(loading.model.graph);
  expectFinite(loading.model.graph);
  const task = loading.task ?? taskOf(loading.model.info.task);
  const model = task.answering(loading.model);
  const program = await compiled(model.graph, loading);
  return {
    predict: async (asked) => {
      const { answers, blank } = blankFor(asked, model, task);
      const partial = await resume(blank, asked.checkpoints);
      await predictBatches(program, { ...loading, ...asked, model }, answers, partial);
      return { rows: partial.rows, answers };
    },
    release: () => program.release(),
  };
};

const nothingAsked = (request: PredictRequest): Predicted => {
  const task = request.task ?? taskOf(request.model.info.task);
  const { answers, blank } = blankFor(request, task.answering(request.model), task);
  return { rows: blank, answers };
};

/**
 * What a model says about texts: scores of classes, of each text or each of its words, or vectors. The answer about one
 * text does not depend on those beside it.
 */
export const predict = async (request: PredictRequest): Promise<Predicted> => {
  if (request.examples.length === 0) return nothingAsked(request);
  const predictor = await openPredictor(request);
  try {
    return await predictor.predict(request);
  } finally {
    await predictor.release();
  }
};
