import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readNumbers, readRecord } from './record-files.ts';

/** What a model said about every labelled text, or every tagged word, of a split. Metrics are pure functions of it. */
export interface Predictions {
  readonly split: 'validation' | 'test';
  readonly classes: number;
  /** Ids of texts or words, so that models are compared pair by pair. */
  readonly ids: Int32Array;
  readonly labels: Int32Array;
  /** (examples, classes), row-major; or (examples, columns) log-probabilities of the classes that `kept` names. */
  readonly logits: Float32Array;
  /** Classes of the columns where there are many classes: see data/scores.ts. */
  readonly kept?: Uint16Array;
  /** Text of each word: words of one text are no independent examples. */
  readonly groups?: Int32Array;
}

interface Header {
  readonly schema: 'decant.predictions/1';
  readonly split: Predictions['split'];
  readonly classes: number;
  readonly examples: number;
  /** Columns of logits.f32 where classes were left out. */
  readonly columns?: number;
  readonly groups?: number;
}

const bytes = (array: ArrayBufferView): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Writes predictions.json with ids.i32, labels.i32, logits.f32, kept.u16 and groups.i32 (little-endian) beside it. */
export const writePredictions = async (folder: string, predictions: Predictions): Promise<void> => {
  const { split, classes, ids, labels, logits, kept, groups } = predictions;
  const header: Header = {
    ...{ schema: 'decant.predictions/1', split, classes, examples: ids.length },
    ...(kept === undefined ? {} : { columns: kept.length / Math.max(1, ids.length) }),
    ...(groups === undefined ? {} : { groups: new Set(groups).size }),
  };
  await writeFile(join(folder, 'predictions.json'), `${JSON.stringify(header)}\n`);
  await writeFile(join(folder, 'ids.i32'), bytes(ids));
  await writeFile(join(folder, 'labels.i32'), bytes(labels));
  await writeFile(join(folder, 'logits.f32'), bytes(logits));
  if (kept !== undefined) await writeFile(join(folder, 'kept.u16'), bytes(kept));
  if (groups !== undefined) await writeFile(join(folder, 'groups.i32'), bytes(groups));
};

const count = z.int().nonnegative();
const headerSchema = z.object({
  schema: z.literal('decant.predictions/1'),
  split: z.enum(['validation', 'test']),
  classes: count,
  examples: count,
  columns: count.exactOptional(),
  groups: count.exactOptional(),
});

/** Reads what `writePredictions` wrote; `path` maps a file name to where it lies. */
export const readPredictions = async (path: (file: string) => string): Promise<Predictions> => {
  const { split, classes, examples, columns, groups } = await readRecord<Header>(path('predictions.json'), {
    schema: headerSchema,
    version: 'decant.predictions/1',
    other: 'another version of decant wrote it; run the pipeline again',
  });
  const size = examples * (columns ?? classes);
  return {
    ...{ split, classes },
    ids: await readNumbers(path('ids.i32'), Int32Array, examples),
    labels: await readNumbers(path('labels.i32'), Int32Array, examples),
    logits: await readNumbers(path('logits.f32'), Float32Array, size),
    ...(columns === undefined ? {} : { kept: await readNumbers(path('kept.u16'), Uint16Array, size) }),
    ...(groups === undefined ? {} : { groups: await readNumbers(path('groups.i32'), Int32Array, examples) }),
  };
};
