import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readDatasetArtifact } from '../../data/files.ts';
import { type Measurements, writeMeasurements } from '../../data/measurements.ts';
import { defineStage } from '../stage.ts';
import { writeKernel, writeRuntimeAlone } from './kernel.ts';
import { loadWhile } from './load.ts';
import { measureLoading } from './loading.ts';
import { timeRounds } from './rounds.ts';
import { kernelSubject, prepare } from './subjects.ts';

const cell = z.strictObject({
  batch: z.int().min(1).max(4096).describe('Texts at once.'),
  length: z.int().min(1).max(8192).describe('Tokens of each text.'),
});

const config = z.strictObject({
  threads: z.int().min(1).max(256).default(1).describe('Threads of one inference.'),
  rounds: z.int().min(3).max(1000).default(24).describe('Interleaved rounds A B C A B C.'),
  processes: z
    .int()
    .min(2)
    .max(100)
    .default(8)
    .describe('Fresh processes that share the rounds; never more than rounds. Intervals come from how these differ.'),
  batch: z.int().min(1).max(4096).default(32).describe('The batch measured beside batch 1.'),
  grid: z
    .array(cell)
    .max(32)
    .default([])
    .describe('More to measure, as { batch: 8, length: 64 }: texts at once, tokens of each.'),
  loads: z
    .int()
    .min(0)
    .max(50)
    .default(3)
    .describe('Fresh processes a model for load time, first run and memory; 0 leaves these out.'),
  profile: z
    .boolean()
    .default(true)
    .describe('Whether to look for the reasons why models are not faster: 2 to 4 seconds a model.'),
});

/** Whether there is a profile is no option of the measurement. */
const withoutProfile = (section: unknown): object => {
  const { profile: _, ...options } = Object(section ?? {});
  return options;
};

/**
 * Latency of all models of a run, after the same inference fusions, interleaved round by round so that ratios hold on a
 * machine whose speed swings, over several processes; and what each costs to begin with, in processes of its own.
 */
export const measure = defineStage({
  uses: 'measure',
  version: 5,
  summary: 'Latency of every model, measured together.',
  config,
  place: 'all-models',
  automatic: {
    section: { name: 'measure', schema: config, summary: 'How latency is measured after the last stage.' },
    options: ({ measure: section }) => withoutProfile(section),
  },
  metrics: z.looseObject({ rounds: z.number(), threads: z.number(), models: z.number() }),
  makes: 'measurements',
  draws: false,
  environment: 'machine',
  wire: (_, wiring) => ({ dataset: wiring.dataset() }),
  run: async ({ dataset: datasetInput, ...models }, options, ctx) => {
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
  },
});
