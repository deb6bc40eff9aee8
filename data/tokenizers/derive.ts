import { listOf, type Part } from './parts.ts';

/** Left and right of a merge: files write pairs, older ones text with a space between. */
export const pairOf = (merge: unknown): readonly [left: string, right: string] => {
  const [left, right] = typeof merge === 'string' ? merge.split(' ', 2) : listOf(merge);
  return [String(left), String(right)];
};

const keyOf = (left: string, right: string): string => `${left}\u0000${right}`;

/** Ranks of merges; the lower one is applied first. */
type Ranks = ReadonlyMap<string, number>;

export const mergesOf = ({ merges }: Part): Ranks =>
  new Map(listOf(merges).map((merge, rank) => [keyOf(...pairOf(merge)), rank]));

/** The position of the pair that is merged next, the leftmost of equal ones; -1 where nothing is left to merge. */
const nextMerge = (symbols: readonly string[], ranks: Ranks): number => {
  let [best, at] = [Number.POSITIVE_INFINITY, -1];
  for (let i = 0; i + 1 < symbols.length; i++) {
    const rank = ranks.get(keyOf(symbols[i] ?? '', symbols[i + 1] ?? '')) ?? Number.POSITIVE_INFINITY;
    if (rank < best) [best, at] = [rank, i];
  }
  return at;
};

/**
 * Everything that byte-pair encoding makes on its way to some tokens. What happens inside a token never depends on what
 * stands around it, so one token alone shows all of it.
 */
export const productsOf = (tokens: Iterable<string>, ranks: Ranks, suffix: string): ReadonlySet<string> => {
  const products = new Set<string>();
  for (const token of tokens) {
    const ends = suffix !== '' && token.endsWith(suffix);
    const symbols = Array.from(ends ? token.slice(0, -suffix.length) : token);
    if (ends && symbols.length > 0) symbols.push(`${symbols.pop()}${suffix}`);
    for (const symbol of symbols) products.add(symbol);
    for (let at = nextMerge(symbols, ranks); at !== -1; at = nextMerge(symbols, ranks)) {
      const [left = '', right = ''] = symbols.slice(at, at + 2);
      symbols.splice(at, 2, left + right);
      products.add(left + right);
    }
  }
  return products;
};
