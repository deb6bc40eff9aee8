import { type Batch, lengthBatches } from '../data/batches.ts';
import { tokenizerOf } from '../data/tokenize.ts';
import { fuseForInference } from '../graph/rewrite/index.ts';
import type { Model } from '../models/model.ts';
import type { Program } from './engine.ts';
import { textFeeds } from './feeds.ts';
import { ortEngine } from './onnxruntime.ts';

export interface PredictRequest {
  readonly model: Model;
  /** Texts, or their token ids where they are known already. */
  readonly texts: readonly (string | Int32Array)[];
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
}

/** Texts of one pass. */
const BATCH = 64;

const encodeAll = ({ model, texts, maxLength }: PredictRequest): readonly Int32Array[] => {
  const tokenizer = tokenizerOf(model.tokenizer);
  return texts.map((text) => (typeof text === 'string' ? tokenizer.encode(text, maxLength) : text));
};

const runBatch = async (
  program: Program,
  model: Model,
  encoded: readonly Int32Array[],
  batch: Batch,
): Promise<Float32Array> => {
  const { output } = model.info;
  const outputs = await program.run(textFeeds(model.info, encoded, batch));
  const data = outputs[output]?.data;
  if (data instanceof Float32Array) return data;
  throw new Error(`the model gave no float32 output '${output}'`);
};

/** What a classifier says about texts: logits (texts, classes) in the order of the texts, without dropout. */
export const predictLogits = async (request: PredictRequest): Promise<Float32Array> => {
  const { model, texts, threads, batching, onProgress, signal } = request;
  const classes = model.info.labels.length;
  const logits = new Float32Array(texts.length * classes);
  if (texts.length === 0) return logits;
  const encoded = encodeAll(request);
  const lengths = encoded.map(({ length }) => length);
  const program = await ortEngine.compile(fuseForInference(model.graph), { threads, optimization: 'all' });
  try {
    let done = 0;
    for (const batch of lengthBatches(lengths, batching === 'single' ? 1 : BATCH)) {
      signal?.throwIfAborted();
      const rows = await runBatch(program, model, encoded, batch);
      batch.rows.forEach((row, i) => {
        logits.set(rows.subarray(i * classes, (i + 1) * classes), row * classes);
      });
      done += batch.rows.length;
      onProgress?.(done, texts.length);
    }
    return logits;
  } finally {
    await program.release();
  }
};
