import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from './errors.ts';

/** A batch of equally long texts. */
export interface Cell {
  readonly batch: number;
  /** Tokens of each text. */
  readonly length: number;
}

/** Milliseconds of each run, by cell and round. Rounds of different models are pairs. */
export type Times = readonly (readonly (readonly number[])[])[];

/** Runs before the first round, and whether they ended because nothing got quicker any more. */
export interface WarmUp {
  readonly runs: number;
  readonly settled: boolean;
}

/** One fresh process: its share of the rounds. */
export interface MeasuredProcess {
  readonly rounds: number;
  /** By model id and cell. */
  readonly warmUp: Readonly<Record<string, readonly WarmUp[]>>;
}

/** What it costs to begin, one figure a fresh process. */
export interface Loading {
  readonly sessionMs: readonly number[];
  readonly firstRunMs: readonly number[];
  readonly peakBytes: readonly number[];
}

/** Latencies of several models that were measured together, interleaved round by round, over several processes. */
export interface Measurements {
  readonly schema: 'decant.measurements/2';
  readonly threads: number;
  readonly cells: readonly Cell[];
  /** In order of time: rounds 0 to n - 1 are the first one's. */
  readonly processes: readonly MeasuredProcess[];
  /** A fixed graph that was timed in every round like a model: what the machine could do just then. */
  readonly kernel: { readonly name: string; readonly times: Times };
  /** By model id. */
  readonly models: Readonly<Record<string, Times>>;
  /** By model id, each in processes of its own. */
  readonly loading: Readonly<Record<string, Loading>>;
  /** Memory of such a process that runs a graph of one node, by process. */
  readonly runtime: { readonly peakBytes: readonly number[] };
}

const SCHEMA: Measurements['schema'] = 'decant.measurements/2';

export const writeMeasurements = async (folder: string, measurements: Measurements): Promise<void> =>
  writeFile(join(folder, 'measurements.json'), `${JSON.stringify(measurements)}\n`);

/** Throws a DataError where the file is of another version. */
export const readMeasurements = async (path: (file: string) => string): Promise<Measurements> => {
  const file = path('measurements.json');
  const measurements: Measurements = JSON.parse(await readFile(file, 'utf8'));
  if (measurements.schema === SCHEMA) return measurements;
  throw new DataError(
    'other-measurements',
    `${file} holds latencies as '${measurements.schema}', which another version of decant measured; expected '${SCHEMA}': run the pipeline again, and only the latencies are measured anew`,
  );
};
