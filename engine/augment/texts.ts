import { tokenWords } from '../feeds.ts';
import type { FedBatch } from './augmentation.ts';

/** Lets the tokens of each text of a batch be changed, padding left out. Elements are read and written as low 32-bit words. */
export const eachText = (
  { model, feeds, examples, batch }: FedBatch,
  change: (tokens: Int32Array, row: number) => void,
): void => {
  const words = tokenWords(model, feeds);
  if (words === undefined) return;
  batch.rows.forEach((row, i) => {
    const start = 2 * i * batch.length;
    const tokens = new Int32Array(Math.min(batch.length, examples[row]?.length ?? 0));
    for (let at = 0; at < tokens.length; at++) tokens[at] = words[start + 2 * at] as number;
    change(tokens, row);
    for (let at = 0; at < tokens.length; at++) words[start + 2 * at] = tokens[at] as number;
  });
};
