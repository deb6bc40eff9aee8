import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cell, Measurements } from '../../data/measurements.ts';
import { defaultEngine } from '../../engine/engines/index.ts';
import { filledFeeds } from '../../engine/feeds.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import { weightBytes, writeGraph } from '../../graph/codec/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { middle } from '../../ground/middle.ts';
import type { Progress } from '../../ground/progress.ts';
import { allMeasurements, latencies } from '../../reports/latencies.ts';
import type { Subject } from '../../stages/measure/orders.ts';
import { computing } from '../../stages/measure/rates.ts';
import { measurePrepared } from '../../stages/measure/work.ts';
import { requestError } from '../diagnostic.ts';
import { limited } from '../guard/limits.ts';
import { openModel } from './open.ts';
import type { Benchmark, BenchmarkOptions, ComputeReport } from './types/models.ts';

const usual = {
  ...{ batches: [1], lengths: [32], threads: 1, engines: [defaultEngine] },
  ...{ rounds: 24, processes: 8, loads: 3 },
};

/** What is settled for all of the models. */
interface Measuring extends Required<Omit<BenchmarkOptions, 'dtype'>>, Pick<BenchmarkOptions, 'dtype'> {
  emit(progress: Progress): void;
}

/** What batches are filled with: an encoder takes as long for one token as for another. */
const TEXTS = [
  'The old man sat by the window and read the letter once more.',
  'A small boat crossed the wide river before the storm came.',
  'Nobody in the village could say how the fire had begun.',
  'Every winter the road over the mountains is closed for some weeks.',
];

const cellsOf = ({ batches, lengths }: Measuring): readonly Cell[] =>
  batches.flatMap((batch) => lengths.map((length) => ({ batch, length })));

const computeOf = ({ cells, models }: Measurements, id: string, first: string): readonly ComputeReport[] =>
  cells.flatMap((cell, c) => {
    const [mine, theirs] = [models[id]?.[c] ?? [], models[first]?.[c] ?? []];
    if (mine.length === 0 || mine.length !== theirs.length) return [];
    const ratios = mine.map((turn, round) => computing(theirs[round] ?? turn) / computing(turn));
    return [{ ...cell, cpuMs: middle(mine.map(computing)), cpuSpeedup: middle(ratios) }];
  });

interface Ready extends Subject {
  readonly bytes: number;
}

/** The model as it is deployed, after the inference fusions, with what it is run on. */
const readied = async (path: string, file: string, options: Measuring): Promise<Ready> => {
  const { model } = await openModel(path, options);
  const { info } = model;
  const long = options.lengths.find((length) => length > info.maxLength);
  if (long !== undefined) {
    throw requestError(`${path}: takes at most ${info.maxLength} tokens, and --length asks for ${long}`);
  }
  const bytes = weightBytes(model.graph);
  const most = { rows: Math.max(...options.batches), longest: Math.max(...options.lengths) };
  await limited(() => ({ files: bytes, ...most }));
  const encoded = await taskOf(info.task).encode(model, TEXTS, info.maxLength);
  await writeGraph(file, fuseForInference(model.graph));
  return { name: `"${path}"`, file, bytes, feeds: cellsOf(options).map((cell) => filledFeeds(info, encoded, cell)) };
};

const expectOnce = (paths: readonly string[]): void => {
  const twice = paths.find((path, i) => paths.indexOf(path) < i);
  if (twice !== undefined) throw requestError(`${twice}: is named twice; name each model once`);
};

const measured = async (paths: readonly string[], folder: string, options: Measuring): Promise<Benchmark> => {
  const subjects = new Map<string, Ready>();
  for (const [i, path] of paths.entries()) {
    options.signal.throwIfAborted();
    subjects.set(path, await readied(path, join(folder, `${i}.onnx`), options));
  }
  const weights = [...subjects.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  const work = { files: weights, rows: Math.max(...options.batches), longest: Math.max(...options.lengths) };
  const { renew } = await limited(() => work);
  const { threads, rounds, processes, loads, engines } = options;
  const config = { threads, rounds, processes, loads, engines: [...engines], profile: false, batch: 1, grid: [] };
  const scratch = join(folder, 'scratch');
  await mkdir(scratch);
  const measurements = await measurePrepared({ cells: cellsOf(options), subjects }, config, scratch, {
    signal: options.signal,
    progress: (progress) => {
      renew();
      options.emit(progress);
    },
  });
  const [first = ''] = paths;
  const models = paths.map((path) => ({
    ...{ model: path, bytes: subjects.get(path)?.bytes ?? 0 },
    ...latencies(measurements, path, first),
    compute: computeOf(measurements, path, first),
  }));
  return { measurement: allMeasurements(measurements), models };
};

/** Times models together, round by round over several processes, each batch size with each length. */
export const benchmarkModels = async (
  paths: readonly string[],
  options: BenchmarkOptions,
  emit: (progress: Progress) => void,
): Promise<Benchmark> => {
  expectOnce(paths);
  const folder = await mkdtemp(join(tmpdir(), 'decant-benchmark-'));
  try {
    return await measured(paths, folder, { ...usual, signal: new AbortController().signal, ...options, emit });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
