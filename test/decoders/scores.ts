import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { feedsFor } from '../../engine/feeds.ts';
import type { Model } from '../../models/model.ts';

/** What is made of the scores at each position of rows that are read together, as far as they go. */
export const scoresOf = async <T>(
  model: Model,
  rows: readonly (readonly number[])[],
  made: (scores: readonly number[]) => T,
): Promise<readonly (readonly T[])[]> => {
  const examples = rows.map((ids) => ({ length: ids.length, byRole: { tokens: Int32Array.from(ids) } }));
  const length = Math.max(...rows.map((ids) => ids.length));
  const program = await cpuEngine.compile(model.graph, { threads: 1 });
  const batch = { rows: Int32Array.from(rows.keys()), length };
  const [said] = Object.values(await program.run(feedsFor(model.info, examples, batch)));
  await program.release();
  const width = said?.dims.at(-1) ?? 1;
  const numbers = Array.from(said?.data ?? [], Number);
  const at = (row: number, place: number) => (row * length + place) * width;
  return rows.map((ids, row) => ids.map((_, place) => made(numbers.slice(at(row, place), at(row, place) + width))));
};
