import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a model said about every labelled example of a split. Metrics are pure functions of it. */
export interface Predictions {
  readonly split: 'validation' | 'test';
  readonly classes: number;
  /** Example ids, so that models are compared pair by pair. */
  readonly ids: Int32Array;
  readonly labels: Int32Array;
  /** (examples, classes), row-major. */
  readonly logits: Float32Array;
}

interface Header {
  readonly schema: 'decant.predictions/1';
  readonly split: Predictions['split'];
  readonly classes: number;
  readonly examples: number;
}

const bytes = (array: ArrayBufferView): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Writes predictions.json with ids.i32, labels.i32 and logits.f32 (little-endian) beside it. */
export const writePredictions = async (folder: string, predictions: Predictions): Promise<void> => {
  const { split, classes, ids, labels, logits } = predictions;
  const header: Header = { schema: 'decant.predictions/1', split, classes, examples: ids.length };
  await writeFile(join(folder, 'predictions.json'), `${JSON.stringify(header)}\n`);
  await writeFile(join(folder, 'ids.i32'), bytes(ids));
  await writeFile(join(folder, 'labels.i32'), bytes(labels));
  await writeFile(join(folder, 'logits.f32'), bytes(logits));
};

const words = async (file: string): Promise<ArrayBuffer> => {
  const content = await readFile(file);
  return content.buffer.slice(content.byteOffset, content.byteOffset + content.byteLength) as ArrayBuffer;
};

/** Reads what `writePredictions` wrote; `path` maps a file name to where it lies. */
export const readPredictions = async (path: (file: string) => string): Promise<Predictions> => {
  const header: Header = JSON.parse(await readFile(path('predictions.json'), 'utf8'));
  if (header.schema !== 'decant.predictions/1') {
    throw new Error(`predictions of schema '${header.schema}', expected 'decant.predictions/1'`);
  }
  const ids = new Int32Array(await words(path('ids.i32')));
  const labels = new Int32Array(await words(path('labels.i32')));
  const logits = new Float32Array(await words(path('logits.f32')));
  if (ids.length !== header.examples || logits.length !== header.examples * header.classes) {
    throw new Error(`predictions.json announces ${header.examples} examples, the files hold ${ids.length}`);
  }
  return { split: header.split, classes: header.classes, ids, labels, logits };
};
