import { bytes } from '../figures.ts';
import type { Cause } from './cause.ts';

/** A table that holds more than everything else. */
const MOST = 0.5;

/** The embedding table as most of the bytes. */
export const embeddingTable: Cause = {
  name: 'embedding-table',
  about: 'bytes',
  looksAt: 'the largest table that ids look up, beside all weights of the graph as it runs',
  advice:
    'a smaller vocabulary, a narrower embedding (prune: keep: { embedding }) or an 8-bit table (quantize) make the file smaller; the time stays',
  advise: ({ quantizedWith, quantizedBy, cut }) => {
    const left = [
      ...(cut.has('vocabulary') ? [] : ['a smaller vocabulary (prune: keep: { vocabulary })']),
      ...(cut.has('embedding') ? [] : ['a narrower embedding (prune: keep: { embedding })']),
      ...(quantizedWith.has('embeddings') || quantizedBy.length > 0 ? [] : ['an 8-bit table (quantize)']),
    ];
    return left.length === 0
      ? 'the run has cut and quantized it already: only cutting it further makes the file smaller; the time stays'
      : `what makes the file smaller still: ${left.join(', or ')}; the time stays`;
  },
  find: ({ model: { table, bytes: all } }) => {
    if (table === null || table.bytes <= MOST * all) return undefined;
    return {
      finding: `most of the bytes are the table ${table.name}`,
      evidence: `${bytes(table.bytes)} of ${bytes(all)}; a run reads one row a token`,
      share: table.bytes / all,
    };
  },
};
