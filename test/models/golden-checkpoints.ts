import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import type { Graph } from '../../graph/graph.ts';
import { importModel } from '../../models/importers/index.ts';
import type { Model, ModelInfo } from '../../models/model.ts';
import { answerName } from '../../models/signature.ts';
import { textInputsOf } from './support.ts';

const root = join(import.meta.dirname, '../golden/checkpoints');

/** Folders of the golden checkpoints, which recipe.py beside them makes. */
export const goldenNames: readonly string[] = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();

export const goldenFolder = (name: string): string => join(root, name);

const rows = z.array(z.array(z.int()));
const expectedSchema = z.object({
  text: z.array(z.string()),
  pair: z.array(z.string()).optional(),
  ids: rows,
  mask: rows,
  types: rows.optional(),
  output: z.enum(['logits', 'last_hidden_state']),
  dims: z.array(z.int()),
  values: z.array(z.number()),
});
export type Expected = z.infer<typeof expectedSchema>;

/** What PyTorch computed from a golden checkpoint. */
export const expectedOf = (name: string): Expected =>
  expectedSchema.parse(JSON.parse(readFileSync(join(goldenFolder(name), 'expected.json'), 'utf8')));

export const modelTypeOf = (name: string): string =>
  z.object({ model_type: z.string() }).parse(JSON.parse(readFileSync(join(goldenFolder(name), 'config.json'), 'utf8')))
    .model_type;

export const importGolden = (name: string): Promise<Model> => importModel(goldenFolder(name), root);

/** Texts of one batch, padded as PyTorch had them. */
export interface GoldenBatch {
  readonly ids: readonly (readonly number[])[];
  readonly mask: readonly (readonly number[])[];
  readonly types?: readonly (readonly number[])[] | undefined;
}

const tokensOf = (matrix: readonly (readonly number[])[]): HostTensor => ({
  dtype: 'int64',
  dims: [matrix.length, matrix[0]?.length ?? 0],
  data: BigInt64Array.from(matrix.flat(), BigInt),
});

export const feedsOf = (info: ModelInfo, batch: GoldenBatch): Readonly<Record<string, HostTensor>> => {
  const { ids, mask, types } = textInputsOf(info);
  return {
    ...{ [ids]: tokensOf(batch.ids), [mask]: tokensOf(batch.mask) },
    ...(types === undefined ? {} : { [types]: tokensOf(batch.types ?? batch.ids.map((row) => row.map(() => 0))) }),
  };
};

/** One text of a batch without its padding. */
export const aloneOf = ({ ids, mask, types }: GoldenBatch, row: number): GoldenBatch => {
  const length = (mask[row] ?? []).filter((kept) => kept === 1).length;
  const cut = (matrix: readonly (readonly number[])[]): readonly (readonly number[])[] => [
    (matrix[row] ?? []).slice(0, length),
  ];
  return { ids: cut(ids), mask: cut(mask), types: types === undefined ? undefined : cut(types) };
};

/** The first output of a graph for some batches, one after another. */
export const runGolden = async (
  { graph, info }: { readonly graph: Graph; readonly info: ModelInfo },
  batches: readonly GoldenBatch[],
): Promise<readonly (readonly number[])[]> => {
  const program = await cpuEngine.compile(graph, { threads: 1 });
  try {
    const results: number[][] = [];
    for (const batch of batches) {
      const outputs = await program.run(feedsOf(info, batch));
      results.push(Array.from(outputs[answerName(info.signature)]?.data ?? [], Number));
    }
    return results;
  } finally {
    await program.release();
  }
};

/** What counts of an output of some rows: of (batch, sequence, width) only tokens that are no padding. */
export const keptOf = (
  values: readonly number[],
  dims: readonly number[],
  { mask }: GoldenBatch,
): readonly number[] => {
  const [, second = 1, width = second] = dims;
  if (dims.length === 2) return values;
  return mask.flatMap((row, b) =>
    row.flatMap((kept, t) =>
      kept === 1 ? values.slice((b * row.length + t) * width, (b * row.length + t + 1) * width) : [],
    ),
  );
};

/** Cosine between two outputs. */
export const cosine = (a: readonly number[], b: readonly number[]): number => {
  const dot = (x: readonly number[], y: readonly number[]): number => x.reduce((sum, v, i) => sum + v * (y[i] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};

/** One checkpoint with a classifier of every family that decant has layers for. */
export const families = 'bert distilbert roberta electra albert mpnet modernbert mobilebert deberta-v2'.split(' ');
