import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readRecord } from '../../data/record-files.ts';

/** What a block with so many units costs beyond one with the fewest: units, and the share of the time of the whole model. */
export type Point = readonly [units: number, share: number];

/** Costs at one width of the stream, as shares of the time of the model that came in. */
export interface WidthCosts {
  readonly hidden: number;
  /** What is left without any layer. */
  readonly rest: number;
  /** A layer with the fewest heads and neurons. */
  readonly layer: number;
  /** Of one attention and of one feed-forward block, from the fewest units on. */
  readonly heads: readonly Point[];
  readonly ffn: readonly Point[];
}

/** What the blocks of a model cost on a machine at each width. */
export interface CostTable {
  readonly schema: 'decant.costs/1';
  readonly cell: { readonly batch: number; readonly length: number };
  readonly threads: number;
  /** What the smaller models were timed as. */
  readonly as: 'float32' | 'int8';
  /** From the widest on. */
  readonly widths: readonly WidthCosts[];
}

const SCHEMA: CostTable['schema'] = 'decant.costs/1';
const fileName = 'costs.json';

export const writeCosts = async (folder: string, table: CostTable): Promise<void> =>
  writeFile(join(folder, fileName), `${JSON.stringify(table)}\n`);

const points = z.array(z.tuple([z.number(), z.number()]));
const schema = z.object({
  schema: z.literal(SCHEMA),
  cell: z.object({ batch: z.int().positive(), length: z.int().positive() }),
  threads: z.int().positive(),
  as: z.enum(['float32', 'int8']),
  widths: z
    .array(z.object({ hidden: z.number(), rest: z.number(), layer: z.number(), heads: points, ffn: points }))
    .min(1),
}) satisfies z.ZodType<CostTable>;

/** Throws a dataError where the file is damaged or of another version. */
export const readCosts = (path: (file: string) => string): Promise<CostTable> =>
  readRecord<CostTable>(path(fileName), {
    schema,
    version: SCHEMA,
    other: 'another version of decant timed it; run the pipeline again, and only the costs are timed anew',
  });
