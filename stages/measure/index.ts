import { z } from 'zod';
import type { Dataset } from '../../data/dataset.ts';
import { readDatasetArtifact } from '../../data/files.ts';
import { typicalLengths } from '../../data/lengths.ts';
import { writeMeasurements } from '../../data/measurements.ts';
import { tokenizerOf } from '../../data/tokenize.ts';
import type { HostTensor, Program } from '../../engine/engine.ts';
import { ortEngine } from '../../engine/onnxruntime.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { readModelArtifact } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { defineStage, type InputArtifact, type StageContext } from '../stage.ts';

const config = z.strictObject({
  threads: z.int().min(1).max(256).default(1).describe('Threads of one inference.'),
  rounds: z.int().min(3).max(1000).default(25).describe('Interleaved rounds A B C A B C.'),
  batch: z.int().min(1).max(4096).default(32).describe('The batch measured beside batch 1.'),
  profile: z
    .boolean()
    .default(true)
    .describe('Whether to look for the reasons why models are not faster: 2 to 4 seconds a model.'),
});

interface Cell {
  readonly batch: number;
  readonly length: number;
}

interface Subject {
  readonly id: string;
  readonly program: Program;
  readonly feeds: readonly Readonly<Record<string, HostTensor>>[];
}

/** Batch 1 at the median and 95th-percentile length, and the larger batch at the median. */
const gridFor = (lengths: readonly number[], batch: number): readonly Cell[] => {
  const { median, p95 } = typicalLengths(lengths);
  return [
    { batch: 1, length: median },
    { batch: 1, length: p95 },
    { batch, length: median },
  ];
};

/** Texts whose tokens fill the measured batches. */
const TEXTS_TO_RUN = 2000;

/** The test texts as each model's tokenizer cuts them. Models that share a tokenizer share the work. */
class Encodings {
  readonly #dataset: Dataset;
  readonly #known = new Map<string, readonly Int32Array[]>();

  constructor(dataset: Dataset) {
    this.#dataset = dataset;
  }

  of(input: InputArtifact, model: Model): readonly Int32Array[] {
    const maxLength = Math.min(this.#dataset.maxLength, model.info.maxLength);
    const key = `${input.artifact.files['tokenizer.json']?.digest} ${maxLength}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const tokenizer = tokenizerOf(model.tokenizer);
    const encoded = this.#dataset.test.map(({ text }) => tokenizer.encode(text, maxLength));
    this.#known.set(key, encoded);
    return encoded;
  }
}

/** (batch, length) ids cut from real texts, laid end to end so that no row is padded. */
const feedsFor = (model: Model, ids: Int32Array, { batch, length }: Cell): Readonly<Record<string, HostTensor>> => {
  const dims = [batch, length];
  const data = BigInt64Array.from({ length: batch * length }, (_, i) => BigInt(ids[i % ids.length] ?? 0));
  return {
    [model.info.inputs.ids]: { dtype: 'int64', dims, data },
    [model.info.inputs.mask]: { dtype: 'int64', dims, data: new BigInt64Array(batch * length).fill(1n) },
  };
};

const timed = async (program: Program, feeds: Readonly<Record<string, HostTensor>>): Promise<number> => {
  const start = performance.now();
  await program.run(feeds);
  return performance.now() - start;
};

/** Runs of one cell in one round: enough of the short ones for a stable median. */
const repeats = (cell: Cell): number => (cell.batch === 1 ? 8 : 2);

const WARM_UP_RUNS = 3;

const measureTogether = async (
  subjects: readonly Subject[],
  cells: readonly Cell[],
  rounds: number,
  ctx: StageContext,
): Promise<Record<string, number[][][]>> => {
  const times: Record<string, number[][][]> = Object.fromEntries(
    subjects.map(({ id }) => [id, cells.map((): number[][] => [])]),
  );
  for (const { program, feeds } of subjects) {
    for (const feed of feeds) for (let i = 0; i < WARM_UP_RUNS; i++) await timed(program, feed);
  }
  for (let round = 0; round < rounds; round++) {
    for (const [c, cell] of cells.entries()) {
      for (const { id, program, feeds } of subjects) {
        ctx.signal.throwIfAborted();
        const feed = feeds[c] ?? {};
        const runs: number[] = [];
        for (let i = 0; i < repeats(cell); i++) runs.push(await timed(program, feed));
        times[id]?.[c]?.push(runs);
      }
    }
    ctx.progress({ done: round + 1, total: rounds, unit: 'rounds' });
  }
  return times;
};

/**
 * Latency of all models of a run, after the same inference fusions, interleaved round by round so that ratios hold on a
 * machine whose speed swings. Batch 1 at the median and 95th-percentile length of the test split, and one larger batch at
 * the median.
 */
export const measure = defineStage({
  uses: 'measure',
  version: 3,
  summary: 'Latency of every model, measured together.',
  config,
  internal: true,
  makes: 'measurements',
  draws: false,
  environment: 'machine',
  wire: (_, wiring) => ({ dataset: wiring.dataset() }),
  run: async ({ dataset: datasetInput, ...models }, { threads, rounds, batch }, ctx) => {
    if (datasetInput === undefined) throw new Error('measure needs a dataset');
    const dataset = await readDatasetArtifact(datasetInput.path);
    const encodings = new Encodings(dataset);
    const subjects: Subject[] = [];
    let cells: readonly Cell[] | undefined;
    try {
      for (const [id, input] of Object.entries(models)) {
        const model = await readModelArtifact(input.path);
        const encoded = encodings.of(input, model);
        cells ??= gridFor(
          encoded.map((ids) => ids.length),
          batch,
        );
        const ids = Int32Array.from(encoded.slice(0, TEXTS_TO_RUN).flatMap((text) => [...text]));
        const program = await ortEngine.compile(fuseForInference(model.graph), { threads, optimization: 'all' });
        subjects.push({ id, program, feeds: cells.map((cell) => feedsFor(model, ids, cell)) });
      }
      const grid = cells ?? [];
      const times = await measureTogether(subjects, grid, rounds, ctx);
      const folder = await ctx.output('measurements', 'measurements');
      await writeMeasurements(folder, { schema: 'decant.measurements/1', threads, cells: grid, models: times });
      return { rounds, threads, models: subjects.length };
    } finally {
      for (const { program } of subjects) await program.release();
    }
  },
});
