import { listOf, partOf } from './parts.ts';

const typesOf = (pieces: unknown): readonly number[] =>
  listOf(pieces).flatMap((piece) => Object.values(partOf(piece)).map((one) => Number(partOf(one).type_id ?? 0)));

/** The largest type (token_type_id) that a post-processor of tokenizer.json writes for a token, of single texts or of pairs. */
export const largestType = (processor: unknown): number => {
  const { type, single, pair, processors } = partOf(processor);
  if (type === 'Sequence') return Math.max(0, ...listOf(processors).map(largestType));
  if (type !== 'TemplateProcessing') return 0;
  return Math.max(0, ...typesOf(single), ...typesOf(pair));
};
