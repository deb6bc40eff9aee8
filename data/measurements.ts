import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Latencies of several models that were measured together, interleaved, in one process. */
export interface Measurements {
  readonly schema: 'decant.measurements/1';
  readonly threads: number;
  readonly cells: readonly { readonly batch: number; readonly length: number }[];
  /** By model id: for each cell, milliseconds of each run, one list a round. Rounds of different models are pairs. */
  readonly models: Readonly<Record<string, readonly (readonly (readonly number[])[])[]>>;
}

export const writeMeasurements = async (folder: string, measurements: Measurements): Promise<void> =>
  writeFile(join(folder, 'measurements.json'), `${JSON.stringify(measurements)}\n`);

export const readMeasurements = async (path: (file: string) => string): Promise<Measurements> => {
  const measurements: Measurements = JSON.parse(await readFile(path('measurements.json'), 'utf8'));
  if (measurements.schema !== 'decant.measurements/1') {
    throw new Error(`measurements of schema '${measurements.schema}', expected 'decant.measurements/1'`);
  }
  return measurements;
};
