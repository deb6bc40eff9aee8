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
interface MeasuredProcess {
  readonly rounds: number;
  /** How often it was made to leave its processor while it timed; 0 on systems that do not count. */
  readonly switches: number;
  /** By model id, of the cells that it takes. */
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

/** An engine, the device behind it as its driver calls it, and the versions of what computes there. */
export interface MeasuredOn {
  readonly engine: string;
  readonly device: string;
  readonly driver?: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** Latencies of several models on one engine, interleaved round by round, over several processes. */
export interface EngineTimes {
  /** Absent for the CPU where it is the engine that the report speaks of. */
  readonly on?: MeasuredOn;
  readonly load: Load;
  /** In order of time: rounds 0 to n - 1 are the first one's. */
  readonly processes: readonly MeasuredProcess[];
  /** A fixed graph that was timed in every round like a model: what the machine could do just then. */
  readonly kernel: { readonly name: string; readonly times: Times };
  /** By model id; no turns at a cell whose texts are longer than the model takes. */
  readonly models: Readonly<Record<string, Times>>;
  /** By model id, each in processes of its own. */
  readonly loading: Readonly<Record<string, Loading>>;
  /** Memory of such a process that runs a graph of one node, by process. */
  readonly runtime: { readonly peakBytes: readonly number[] };
  /** By id of a model that the engine cannot run: operators that it has no kernel for. Such a model has no times. */
  readonly lacking?: Readonly<Record<string, readonly string[]>>;
}

/** Latencies of several models that were measured together, by the same rounds on every engine. */
export interface Measurements extends EngineTimes {
  readonly schema: 'decant.measurements/3';
  readonly threads: number;
  readonly cells: readonly Cell[];
  /** On the engines beside the first; absent where there is one. Figures of different engines are no pairs. */
  readonly others?: readonly (EngineTimes & { readonly on: MeasuredOn })[];
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
const on = z.object({
  engine: z.string(),
  device: z.string(),
  driver: z.string().exactOptional(),
  versions: z.record(z.string(), z.string()),
});
const engineTimes = z.object({
  on: on.exactOptional(),
  load: z.object({ average: z.tuple([figure, figure]).nullable(), stolen: figure.nullable() }),
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
  lacking: z.record(z.string(), z.array(z.string())).exactOptional(),
});
const schema = engineTimes.extend({
  schema: z.literal(SCHEMA),
  threads: figure,
  cells: z.array(z.object({ batch: z.int().positive(), length: z.int().positive() })),
  others: z.array(engineTimes.extend({ on })).exactOptional(),
}) satisfies z.ZodType<Measurements>;

/** Throws a dataError where the file is damaged or of another version. */
export const readMeasurements = (path: (file: string) => string): Promise<Measurements> =>
  readRecord<Measurements>(path('measurements.json'), {
    schema,
    version: SCHEMA,
    other: 'another version of decant measured; run the pipeline again, and only the latencies are measured anew',
  });
