import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readRecord } from './record-files.ts';

/** A batch of equally long texts. */
export interface Cell {
  readonly batch: number;
  /** Tokens of each text. */
  readonly length: number;
}

/** Runs of one model at one cell, one straight after the other: its turn in a round. */
export interface Turn {
  /** Milliseconds of each run by the clock. */
  readonly ms: readonly number[];
  /** Share of the turn in which the process had no processor, since other work did: 0 to 1. */
  readonly waited: number;
}

/** Turns by cell and round. Those of different models in one round are pairs. */
export type Times = readonly (readonly Turn[])[];

/** What else the machine did while models were timed. */
export interface Load {
  /** Processes that wanted to run, over the last minute, before and after; null where the system does not count them. */
  readonly average: readonly [number, number] | null;
  /** Share of the machine's time that its host gave to others, 0 to 1; null where the system does not tell. */
  readonly stolen: number | null;
}

/** Runs before the first round, and whether they ended because nothing got quicker any more. */
export interface WarmUp {
  readonly runs: number;
  readonly settled: boolean;
}

/** One fresh process: its share of the rounds. */
export interface MeasuredProcess {
  readonly rounds: number;
  /** How often it was made to leave its processor while it timed; 0 on systems that do not count. */
  readonly switches: number;
  /** By model id and cell. */
  readonly warmUp: Readonly<Record<string, readonly WarmUp[]>>;
}

/** What it costs to begin, one figure a fresh process. */
export interface Loading {
  readonly sessionMs: readonly number[];
  readonly firstRunMs: readonly number[];
  readonly peakBytes: readonly number[];
  /** Share of loading and first run in which the process had no processor. */
  readonly waited: readonly number[];
}

/** Latencies of several models that were measured together, interleaved round by round, over several processes. */
export interface Measurements {
  readonly schema: 'decant.measurements/3';
  readonly threads: number;
  readonly load: Load;
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

const SCHEMA: Measurements['schema'] = 'decant.measurements/3';

export const writeMeasurements = async (folder: string, measurements: Measurements): Promise<void> =>
  writeFile(join(folder, 'measurements.json'), `${JSON.stringify(measurements)}\n`);

const figure = z.number().nonnegative();
const times = z.array(z.array(z.object({ ms: z.array(figure), waited: z.number() })));
const loading = z.object({
  sessionMs: z.array(figure),
  firstRunMs: z.array(figure),
  peakBytes: z.array(figure),
  waited: z.array(z.number()),
});
const schema = z.object({
  schema: z.literal(SCHEMA),
  threads: figure,
  load: z.object({ average: z.tuple([figure, figure]).nullable(), stolen: figure.nullable() }),
  cells: z.array(z.object({ batch: z.int().positive(), length: z.int().positive() })),
  processes: z.array(
    z.object({
      rounds: figure,
      switches: figure,
      warmUp: z.record(z.string(), z.array(z.object({ runs: figure, settled: z.boolean() }))),
    }),
  ),
  kernel: z.object({ name: z.string(), times }),
  models: z.record(z.string(), times),
  loading: z.record(z.string(), loading),
  runtime: z.object({ peakBytes: z.array(figure) }),
}) satisfies z.ZodType<Measurements>;

/** Throws a dataError where the file is damaged or of another version. */
export const readMeasurements = (path: (file: string) => string): Promise<Measurements> =>
  readRecord<Measurements>(path('measurements.json'), {
    schema,
    version: SCHEMA,
    other: 'another version of decant measured; run the pipeline again, and only the latencies are measured anew',
  });
