import { join } from 'node:path';
import type { Dataset } from '../../data/dataset.ts';
import { lengthsOf } from '../../data/lengths.ts';
import type { Cell } from '../../data/measurements.ts';
import type { Encoded } from '../../engine/encoded.ts';
import { filledFeeds } from '../../engine/feeds.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import { writeGraph } from '../../graph/codec/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { readInfo, readModelArtifact } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { longest } from '../train/examples.ts';
import { expectFits, gridFor } from './grid.ts';
import type { Fixed } from './kernel.ts';
import type { Subject } from './orders.ts';

/** Texts whose tokens fill the measured batches. */
const TEXTS_TO_RUN = 2000;

/** The test texts as each model's tokenizer cuts them. Models that share a tokenizer share the work. */
class Encodings {
  readonly #dataset: Dataset;
  readonly #known = new Map<string, readonly Encoded[]>();

  constructor(dataset: Dataset) {
    this.#dataset = dataset;
  }

  async of(input: InputArtifact, model: Model): Promise<readonly Encoded[]> {
    const maxLength = longest(this.#dataset, model);
    const key = `${input.artifact.files['tokenizer.json']?.digest} ${maxLength}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const encoded = await taskOf(this.#dataset.task).encode(model, this.#dataset.test, maxLength);
    this.#known.set(key, encoded);
    return encoded;
  }
}

export interface Prepared {
  readonly cells: readonly Cell[];
  /** By model id. */
  readonly subjects: ReadonlyMap<string, Subject>;
}

/** The longest text that each model takes. */
const takenBy = (models: Readonly<Record<string, InputArtifact>>) =>
  Promise.all(
    Object.entries(models).map(async ([id, { path }]) => ({ id, maxLength: (await readInfo(path)).maxLength })),
  );

/** Writes every model as it is deployed, after the inference fusions, with what it is to be run on. */
export const prepare = async (
  models: Readonly<Record<string, InputArtifact>>,
  dataset: Dataset,
  { batch, grid }: { readonly batch: number; readonly grid: readonly Cell[] },
  folder: string,
): Promise<Prepared> => {
  const takes = await takenBy(models);
  expectFits(takes, grid);
  const shortest = Math.min(...takes.map(({ maxLength }) => maxLength));
  const encodings = new Encodings(dataset);
  const subjects = new Map<string, Subject>();
  let cells: readonly Cell[] | undefined;
  for (const [id, input] of Object.entries(models)) {
    const model = await readModelArtifact(input.path);
    const encoded = await encodings.of(input, model);
    cells ??= gridFor(lengthsOf(encoded), batch, grid, shortest);
    const texts = encoded.slice(0, TEXTS_TO_RUN);
    const file = join(folder, `${subjects.size}.onnx`);
    await writeGraph(file, fuseForInference(model.graph));
    const feeds = cells.map((cell) =>
      cell.length > model.info.maxLength ? null : filledFeeds(model.info, texts, cell),
    );
    subjects.set(id, { name: `"${id}"`, file, feeds });
  }
  return { cells: cells ?? [], subjects };
};

/** The kernel as one more subject: the same work at every cell. */
export const kernelSubject = ({ name, file, feeds }: Fixed, cells: readonly Cell[]): Subject => ({
  name: `the reference kernel ${name}`,
  file,
  feeds: cells.map(() => feeds),
});
