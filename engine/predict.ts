import { type Batch, lengthBatches } from '../data/batches.ts';
import { lengthsOf } from '../data/lengths.ts';
import type { EncodedText, TextInput } from '../data/tokenize.ts';
import { fuseForInference } from '../graph/rewrite/index.ts';
import type { Model } from '../models/model.ts';
import type { Checkpoints } from '../stages/stage.ts';
import { encodeTexts } from './encode.ts';
import type { Program } from './engine.ts';
import { textFeeds } from './feeds.ts';
import { ortEngine } from './onnxruntime.ts';

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
  /** Where long predictions keep what is done, so that a crash costs seconds. */
  readonly checkpoints?: Checkpoints;
}

/** Texts of one pass. */
const BATCH = 64;

const MILLISECONDS_BETWEEN_CHECKPOINTS = 10_000;

const runBatch = async (
  program: Program,
  model: Model,
  encoded: readonly EncodedText[],
  batch: Batch,
): Promise<Float32Array> => {
  const { output } = model.info;
  const outputs = await program.run(textFeeds(model.info, encoded, batch));
  const data = outputs[output]?.data;
  if (data instanceof Float32Array) return data;
  throw new Error(`the model gave no float32 output '${output}'`);
};

/** Logits so far and the batches behind them. */
interface Partial {
  readonly logits: Float32Array<ArrayBuffer>;
  batches: number;
}

const schema = 'decant.prediction/1';

const resume = async (elements: number, checkpoints: Checkpoints | undefined): Promise<Partial> => {
  const logits = new Float32Array(elements);
  const saved = await checkpoints?.load();
  const meta = Object(saved?.meta);
  if (saved === undefined || meta.schema !== schema || saved.data.length !== logits.byteLength) {
    return { logits, batches: 0 };
  }
  new Uint8Array(logits.buffer).set(saved.data);
  return { logits, batches: Number(meta.batches) };
};

const save = async ({ logits, batches }: Partial, checkpoints: Checkpoints | undefined): Promise<void> =>
  checkpoints?.save({ schema, batches }, [new Uint8Array(logits.buffer)]);

const predictBatches = async (
  program: Program,
  request: PredictRequest,
  encoded: readonly EncodedText[],
  partial: Partial,
): Promise<void> => {
  const { model, batching, onProgress, signal, checkpoints } = request;
  const classes = model.info.labels.length;
  const batches = lengthBatches(lengthsOf(encoded), batching === 'single' ? 1 : BATCH);
  let done = batches.slice(0, partial.batches).reduce((sum, { rows }) => sum + rows.length, 0);
  let saved = performance.now();
  for (const batch of batches.slice(partial.batches)) {
    if (signal?.aborted || performance.now() - saved > MILLISECONDS_BETWEEN_CHECKPOINTS) {
      await save(partial, checkpoints);
      saved = performance.now();
    }
    signal?.throwIfAborted();
    const rows = await runBatch(program, model, encoded, batch);
    batch.rows.forEach((row, i) => {
      partial.logits.set(rows.subarray(i * classes, (i + 1) * classes), row * classes);
    });
    partial.batches++;
    done += batch.rows.length;
    onProgress?.(done, encoded.length);
  }
};

/** What a classifier says about texts: logits (texts, classes) in the order of the texts, without dropout. */
export const predictLogits = async (request: PredictRequest): Promise<Float32Array> => {
  const { model, texts, maxLength, threads, signal, checkpoints } = request;
  const partial = await resume(texts.length * model.info.labels.length, checkpoints);
  if (texts.length === 0) return partial.logits;
  const encoded = await encodeTexts(model, texts, maxLength, signal);
  const program = await ortEngine.compile(fuseForInference(model.graph), { threads, optimization: 'all' });
  try {
    await predictBatches(program, request, encoded, partial);
    return partial.logits;
  } finally {
    await program.release();
  }
};
