import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readDatasetArtifact } from '../../data/files.ts';
import { type EngineTimes, type MeasuredOn, type Measurements, writeMeasurements } from '../../data/measurements.ts';
import { defaultEngine } from '../../engine/engines/index.ts';
import type { StageContext, StageRun } from '../stage.ts';
import { measuredOn, runnable } from './engines.ts';
import { type Config, enginesOf, type Reported } from './index.ts';
import { writeKernel, writeRuntimeAlone } from './kernel.ts';
import { loadWhile } from './load.ts';
import { measureLoading } from './loading.ts';
import { type Timing, timeRounds } from './rounds.ts';
import { kernelSubject, type Prepared, prepare } from './subjects.ts';

type Measured = EngineTimes & { readonly on: MeasuredOn };

/** Who hears how far a measurement is, and ends it. */
export type Measuring = Pick<StageContext, 'signal' | 'progress'>;

/** An engine before its rounds. */
type Begun = Pick<Measured, 'on' | 'loading' | 'runtime'> & { readonly timing: Timing & Pick<Measured, 'lacking'> };

/** Every model on every engine that can run it, in the order of the engines. */
const measureAll = async (
  { cells, subjects }: Prepared,
  options: Config,
  folder: string,
  ctx: Measuring,
): Promise<readonly Measured[]> => {
  const kernel = await writeKernel(folder);
  const runtime = await writeRuntimeAlone(folder);
  const found: Begun[] = [];
  for (const engine of enginesOf(options)) {
    const timing = await runnable(engine, subjects, options.threads, ctx);
    found.push({ on: await measuredOn(engine), timing, ...(await measureLoading(timing, runtime, options, ctx)) });
  }
  const timings = found.map(({ timing }) => timing);
  const { result, load } = await loadWhile(() => timeRounds(timings, kernelSubject(kernel, cells), options, ctx));
  return result.flatMap(({ processes, kernel: times, models }, e): readonly Measured[] =>
    found.slice(e, e + 1).map(({ on, timing: { lacking }, loading, runtime: alone }) => ({
      ...{ on, load, processes, kernel: { name: kernel.name, times }, models, loading, runtime: alone },
      ...(lacking === undefined ? {} : { lacking }),
    })),
  );
};

/** The first engine is the one that a report speaks of; the CPU as such goes without saying. */
const measurementsOf = (
  [first, ...others]: readonly Measured[],
  { threads }: Config,
  cells: Measurements['cells'],
): Measurements => {
  if (first === undefined) throw new Error('measure needs an engine');
  const { on, load, ...times } = first;
  return {
    schema: 'decant.measurements/3',
    ...(on.engine === defaultEngine ? {} : { on }),
    ...{ threads, load, cells, ...times },
    ...(others.length === 0 ? {} : { others }),
  };
};

/** Times models that lie ready in a folder, with what it costs to begin with each. */
export const measurePrepared = async (
  prepared: Prepared,
  options: Config,
  folder: string,
  ctx: Measuring,
): Promise<Measurements> => measurementsOf(await measureAll(prepared, options, folder, ctx), options, prepared.cells);

export const run: StageRun<Config, Reported> = async ({ dataset: datasetInput, ...models }, options, ctx) => {
  if (datasetInput === undefined) throw new Error('measure needs a dataset');
  const dataset = await readDatasetArtifact(datasetInput.path);
  const folder = await ctx.output('measurements', 'measurements');
  const scratch = join(folder, 'scratch');
  await mkdir(scratch, { recursive: true });
  try {
    const prepared = await prepare(models, dataset, options, scratch);
    await writeMeasurements(folder, await measurePrepared(prepared, options, scratch, ctx));
    return { rounds: options.rounds, threads: options.threads, models: prepared.subjects.size };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
};
