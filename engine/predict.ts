import { type Batch, lengthBatches } from '../data/batches.ts';
import { lengthsOf } from '../data/lengths.ts';
import { blankRows, columnsFor, putRow, type Rows } from '../data/rows.ts';
import type { EncodedText, TextInput } from '../data/tokenize.ts';
import { GraphBuilder } from '../graph/builder.ts';
import { type Graph, value } from '../graph/graph.ts';
import { fuseForInference } from '../graph/rewrite/index.ts';
import type { Checkpoints } from '../ground/checkpoints.ts';
import { isUserError, messageOf, modelError } from '../ground/errors.ts';
import { expectBounded } from '../models/bounded.ts';
import { expectFinite } from '../models/finite.ts';
import type { Model } from '../models/model.ts';
import { type Answers, answerCount, answersAbout, forEachAnswer } from './answers.ts';
import { encodeTexts } from './encode.ts';
import type { Program } from './engine.ts';
import { textFeeds } from './feeds.ts';
import { ortEngine } from './onnxruntime.ts';
import { taskOf } from './tasks/index.ts';

export interface PredictRequest {
  readonly model: Model;
  /** Texts and pairs, or their tokens where they are known already. */
  readonly texts: readonly (TextInput | EncodedText)[];
  /** Longest sequence in tokens. */
  readonly maxLength: number;
  readonly threads: number;
  /**
   * 'length' runs texts of similar length together; 'single' runs each alone without padding, which is how quantized
   * models are judged: a scale that is found at run time spans its whole batch.
   */
  readonly batching: 'length' | 'single';
  onProgress?(done: number, total: number): void;
  readonly signal?: AbortSignal;
  /** All scores of each answer ('all', the default), or where there are many classes the largest of them. */
  readonly keep?: 'all' | 'largest';
  /** True class of each answer, -1 for none: kept whatever its score. */
  readonly labels?: Int32Array;
  /** What a text is called in errors; by default its number and, where it is given as such, itself. */
  readonly called?: (text: number) => string;
  /** Where long predictions keep what is done, so that a crash costs seconds. */
  readonly checkpoints?: Checkpoints;
}

/** Texts of one pass. */
const BATCH = 64;

const MILLISECONDS_BETWEEN_CHECKPOINTS = 10_000;

/** The model's graph with what makes answers of its output. */
const answerGraph = ({ graph, info }: Model): { readonly graph: Graph; readonly width: number } => {
  const builder = GraphBuilder.from(graph);
  const output = value(info.output);
  const answers = taskOf(info.task).emitAnswers(builder, info, output);
  const width = builder.type(answers).shape?.at(-1);
  if (typeof width !== 'number') throw modelError(`the width of the model's output '${info.output}' is not known`);
  return { graph: answers === output ? graph : builder.freeze([answers]), width };
};

const runBatch = async (
  program: Program,
  { info }: Model,
  encoded: readonly EncodedText[],
  batch: Batch,
): Promise<Float32Array> => {
  const outputs = await program.run(textFeeds(info, encoded, batch)).catch((error: unknown) => {
    throw modelError(`the model fails while it runs: ${messageOf(error)}`, { cause: error });
  });
  const [said] = Object.values(outputs);
  if (said?.data instanceof Float32Array) return said.data;
  throw modelError(`the model gave no float32 output '${info.output}'`);
};

/**
 * The program of a stranger's model. Where only the fused graph is refused the fault is not the model's: such an error
 * passes as it is.
 */
const compiled = async (graph: Graph, threads: number): Promise<Program> => {
  try {
    return await ortEngine.compile(fuseForInference(graph), { threads, optimization: 'all', memory: 'pooled' });
  } catch (error) {
    const own = await ortEngine.compile(graph, { threads }).catch((refusal: unknown) => modelError(messageOf(refusal)));
    if (isUserError(own, 'model')) throw own;
    await own.release();
    throw error;
  }
};

const LONGEST_SHOWN = 60;

const calledByDefault = (texts: PredictRequest['texts'], i: number): string => {
  const given = texts[i];
  const text = typeof given === 'string' ? given : given !== undefined && 'text' in given ? given.text : undefined;
  return `text ${i + 1}${text === undefined ? '' : ` (${JSON.stringify(text.slice(0, LONGEST_SHOWN))})`}`;
};

/** Refuses an answer that is none: as a class it would be the first one, and nobody would notice. */
const expectNumbers = (row: Float32Array, answer: number, { starts }: Answers, request: PredictRequest): void => {
  const at = row.findIndex((x) => !Number.isFinite(x));
  if (at < 0) return;
  const { info } = request.model;
  const text = starts.findLastIndex((start) => start <= answer);
  const column = info.labels[at] === undefined ? `number ${at}` : `class '${info.labels[at]}'`;
  const called = request.called?.(text) ?? calledByDefault(request.texts, text);
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
  const { model, batching, onProgress, signal, checkpoints, labels } = request;
  const { texts } = answers;
  const batches = lengthBatches(lengthsOf(texts), batching === 'single' ? 1 : BATCH);
  let done = batches.slice(0, partial.batches).reduce((sum, { rows }) => sum + rows.length, 0);
  let saved = performance.now();
  for (const batch of batches.slice(partial.batches)) {
    if (signal?.aborted || performance.now() - saved > MILLISECONDS_BETWEEN_CHECKPOINTS) {
      await save(partial, checkpoints);
      saved = performance.now();
    }
    signal?.throwIfAborted();
    const said = await runBatch(program, model, texts, batch);
    const { width } = partial.rows;
    forEachAnswer(answers, batch, (answer, row) => {
      const numbers = said.subarray(row * width, (row + 1) * width);
      expectNumbers(numbers, answer, answers, request);
      putRow(partial.rows, answer, numbers, labels?.[answer]);
    });
    partial.batches++;
    done += batch.rows.length;
    onProgress?.(done, texts.length);
  }
};

/** What a model says about texts, without dropout. */
export interface Predicted {
  /** A row an answer: a text, or a word, in the order of the texts. Those of words that were cut off are unread. */
  readonly rows: Rows;
  readonly answers: Answers;
}

/**
 * What a model says about texts: scores of classes, of each text or each of its words, or vectors. The answer about one
 * text does not depend on those beside it.
 */
export const predict = async (request: PredictRequest): Promise<Predicted> => {
  const { model, texts, maxLength, threads, signal, checkpoints, keep = 'all' } = request;
  expectBounded(model.graph);
  expectFinite(model.graph);
  const { graph, width } = answerGraph(model);
  const answers = answersAbout(await encodeTexts(model, texts, maxLength, signal));
  const columns = keep === 'largest' && model.info.labels.length > 0 ? columnsFor(width) : width;
  const partial = await resume(blankRows(answerCount(answers), width, columns), checkpoints);
  if (texts.length === 0) return { rows: partial.rows, answers };
  const program = await compiled(graph, threads);
  try {
    await predictBatches(program, request, answers, partial);
    return { rows: partial.rows, answers };
  } finally {
    await program.release();
  }
};
