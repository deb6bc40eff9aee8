import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readDatasetArtifact } from '../../data/files.ts';
import { type Measurements, writeMeasurements } from '../../data/measurements.ts';
import type { StageRun } from '../stage.ts';
import type { Config, Reported } from './index.ts';
import { writeKernel, writeRuntimeAlone } from './kernel.ts';
import { loadWhile } from './load.ts';
import { measureLoading } from './loading.ts';
import { timeRounds } from './rounds.ts';
import { kernelSubject, prepare } from './subjects.ts';

export const run: StageRun<Config, Reported> = async ({ dataset: datasetInput, ...models }, options, ctx) => {
  if (datasetInput === undefined) throw new Error('measure needs a dataset');
  const dataset = await readDatasetArtifact(datasetInput.path);
  const folder = await ctx.output('measurements', 'measurements');
  const scratch = join(folder, 'scratch');
  await mkdir(scratch, { recursive: true });
  try {
    const { cells, subjects } = await prepare(models, dataset, options, scratch);
    const kernel = await writeKernel(scratch);
    const { loading, runtime } = await measureLoading(subjects, await writeRuntimeAlone(scratch), options, ctx);
    const timing = (): ReturnType<typeof timeRounds> =>
      timeRounds(subjects, kernelSubject(kernel, cells), options, ctx);
    const { result: together, load } = await loadWhile(timing);
    const measurements: Measurements = {
      schema: 'decant.measurements/3',
      threads: options.threads,
      load,
      cells,
      processes: together.processes,
      kernel: { name: kernel.name, times: together.kernel },
      models: together.models,
      loading,
      runtime: { peakBytes: runtime.peakBytes },
    };
    await writeMeasurements(folder, measurements);
    return { rounds: options.rounds, threads: options.threads, models: subjects.size };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
};
