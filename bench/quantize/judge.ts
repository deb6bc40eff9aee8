import { cosineOf } from '../../data/cosine.ts';
import type { Rows } from '../../data/rows.ts';
import type { Encoded } from '../../engine/encoded.ts';
import type { HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { openFile } from '../../engine/engines/onnxruntime/session.ts';
import { predict } from '../../engine/predict.ts';
import { readGraph } from '../../graph/codec/index.ts';
import { spearmanOf } from '../../ground/metrics/correlation.ts';
import { middle } from '../../ground/middle.ts';
import type { Model } from '../../models/model.ts';

/** How near the vectors of a file are to those of the float model. */
export interface Nearness {
  readonly mean: number;
  readonly least: number;
  /** Rank correlation of the similarities of all pairs of texts. */
  readonly rank: number;
}

/** Vectors of texts, one text at a time. */
export const vectorsOf = async (model: Model, examples: readonly Encoded[]): Promise<Rows> =>
  (await predict({ model, examples, threads: 2, batching: 'single' })).rows;

const similarities = ({ data, width, count }: { data: Float32Array; width: number; count: number }): Float64Array => {
  const found = new Float64Array((count * (count - 1)) / 2);
  let at = 0;
  for (let i = 0; i < count; i++) for (let j = 0; j < i; j++) found[at++] = cosineOf(data, i, data, j, width);
  return found;
};

const numbersOf = ({ data, width }: Rows) => ({
  ...{ data: Float32Array.from(data), width },
  count: data.length / width,
});

/** Of vectors beside those of the float model. */
export const nearness = (before: Rows, after: Rows): Nearness => {
  const [a, b] = [numbersOf(before), numbersOf(after)];
  const cosines = Array.from({ length: a.count }, (_, i) => cosineOf(a.data, i, b.data, i, a.width));
  const [truth, said] = [similarities(a), similarities(b)];
  return {
    mean: cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length,
    least: Math.min(...cosines),
    rank: spearmanOf({ count: truth.length, columns: { said, truth } }),
  };
};

/** The same model with the graph of a file. */
export const modelFrom = async (model: Model, file: string): Promise<Model> => ({
  ...model,
  graph: await readGraph(file),
});

/** Texts of one length, of as many as a batch. */
const feedsOf = ({ graph }: Model, [batch, length]: readonly [number, number]) => {
  const filled = (value: (i: number) => number): HostTensor => ({
    ...{ dtype: 'int64', dims: [batch, length] },
    data: BigInt64Array.from({ length: batch * length }, (_, i) => BigInt(value(i))),
  });
  const ofInput = (name: string): HostTensor =>
    /mask/.test(name) ? filled(() => 1) : filled((i) => (/type/.test(name) ? 0 : 1000 + 37 * (i % 500)));
  return Object.fromEntries(graph.inputs.map((name) => [name, ofInput(name)]));
};

/** Why the runtime does not load a file; undefined where it does. */
export const refusalOfFile = async (file: string): Promise<string | undefined> => {
  try {
    await (await openFile(file, { threads: 1, memory: 'planned' })).release();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

/** Milliseconds of computing that a turn takes at least: the system counts in coarser ones than a run takes. */
const TURN = 60;

/**
 * How many times as fast as the first file each of them is at a shape: CPU time of one thread, turn by turn, so that other work on
 * the machine meets all of them.
 */
export const speedsOf = async (
  model: Model,
  files: readonly string[],
  shape: readonly [number, number],
  rounds: number,
): Promise<readonly number[]> => {
  const feeds = feedsOf(model, shape);
  const programs = await Promise.all(files.map((file) => openFile(file, { threads: 1, memory: 'planned' })));
  const timed = async (program: (typeof programs)[number], times: number): Promise<number> => {
    const before = process.cpuUsage();
    for (let i = 0; i < times; i++) await program.run(feeds);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000 / times;
  };
  const counts: number[] = [];
  for (const program of programs) counts.push(Math.max(1, Math.ceil(TURN / (await timed(program, 3)))));
  const turns: number[][] = [];
  for (let round = 0; round < rounds; round++) {
    const turn: number[] = [];
    for (const [i, program] of programs.entries()) turn.push(await timed(program, counts[i] ?? 1));
    turns.push(turn);
  }
  await Promise.all(programs.map((program) => program.release()));
  return files.map((_, i) => middle(turns.map((turn) => (turn[0] ?? Number.NaN) / (turn[i] ?? Number.NaN))));
};

/** Version of the runtime that all files run in. */
export const runtime = `onnxruntime ${cpuEngine.target.facts.onnxruntime}`;
