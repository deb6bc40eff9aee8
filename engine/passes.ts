import type { Model } from '../models/model.ts';
import { answerPort } from '../models/signature.ts';

/** Numbers that the answers of one pass come to at most, unless one text alone has more: 64 MB. */
const MOST_NUMBERS = 2 ** 24;

/** How many texts of a length go through a model at once: fewer where each position is answered by a row of many numbers. */
export const textsOfPass = (
  { graph, info }: Pick<Model, 'graph' | 'info'>,
  most: number,
): ((length: number) => number) => {
  const { name, axes } = answerPort(info.signature);
  const width = graph.types.get(name)?.shape?.at(-1);
  if (typeof width !== 'number' || !(axes.includes('sequence') || axes.includes('target'))) return () => most;
  return (length) => Math.max(1, Math.min(most, Math.floor(MOST_NUMBERS / (width * Math.max(1, length)))));
};
