import { z } from 'zod';
import { readText } from '../ground/whole-file.ts';
import { readColumn } from './columns.ts';
import type { Predictions } from './predictions.ts';
import type { Rows } from './rows.ts';

/**
 * Answers as runs left them in stores before they were rows: reports and comparisons still read them. Class numbers had 16
 * bits, vectors had a format of their own, and what was not read was written as equal scores.
 */
export const OLD_SCHEMA = 'decant.predictions/1';

/** By this file vectors were told from choices of classes. */
export const OLD_VECTORS = 'vectors.json';

type PathOf = (file: string) => string;

const headerSchema = z.object({
  split: z.enum(['validation', 'test']).default('test'),
  classes: z.int().default(0),
  width: z.int().default(0),
  /** Scores of a row, and texts of words, where they are fewer. */
  columns: z.int().optional(),
  groups: z.int().optional(),
});

const readOld = async (path: PathOf, file: string): Promise<z.infer<typeof headerSchema>> =>
  headerSchema.parse(JSON.parse(await readText(path(file))));

export const readOldChoices = async (path: PathOf): Promise<Predictions> => {
  const { classes, columns = classes, groups, split } = await readOld(path, 'predictions.json');
  const ids = await readColumn(path('ids.i32'), 'i32');
  const rows: Rows = {
    ...{ width: classes, columns, data: await readColumn(path('logits.f32'), 'f32') },
    ...(columns === classes ? {} : { kept: Uint32Array.from(await readColumn(path('kept.u16'), 'u16')) }),
    unread: new Uint8Array(ids.length),
  };
  return {
    ...{ split, ids, rows, targets: { width: 1, data: await readColumn(path('labels.i32'), 'i32') } },
    ...(groups === undefined ? {} : { groups: await readColumn(path('groups.i32'), 'i32') }),
  };
};

export const readOldVectors = async (path: PathOf): Promise<Predictions> => {
  const { width } = await readOld(path, OLD_VECTORS);
  const ids = await readColumn(path('ids.i32'), 'i32');
  const data = await readColumn(path('vectors.f32'), 'f32');
  return { split: 'test', ids, rows: { width, columns: width, data, unread: new Uint8Array(ids.length) } };
};
