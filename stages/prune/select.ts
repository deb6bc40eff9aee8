/** Units by falling score; equal scores keep their order. */
const ranking = (scores: Float64Array): number[] =>
  Array.from(scores.keys()).sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);

const ascending = (units: number[]): number[] => units.sort((a, b) => a - b);

/** The best units of one part, in their old order. */
export const selectTop = (scores: Float64Array, kept: number): readonly number[] =>
  ascending(ranking(scores).slice(0, kept));

/** Scores of different layers become comparable when each layer's have length 1 (Michel et al. 2019, section 4.1). */
const normalized = (scores: Float64Array): Float64Array => {
  const length = Math.sqrt(scores.reduce((sum, score) => sum + score * score, 0));
  return length === 0 ? scores : scores.map((score) => score / length);
};

interface Block<P> {
  readonly part: P;
  readonly units: readonly number[];
  readonly score: number;
  /** The best block of its part, without which nothing would be left. */
  readonly first: boolean;
}

const blocksOf = <P>(part: P, scores: Float64Array, size: number): Block<P>[] => {
  const order = ranking(scores);
  const blocks: Block<P>[] = [];
  for (let start = 0; start < order.length; start += size) {
    const units = order.slice(start, start + size);
    const score = units.reduce((sum, unit) => sum + (scores[unit] as number), 0) / units.length;
    blocks.push({ part, units, score, first: start === 0 });
  }
  return blocks;
};

/**
 * The best units over several parts together, `kept` in all, at least one block from each part. Whole blocks of `size`
 * units go or stay, so that widths remain multiples that kernels like.
 */
export const selectGlobal = <P>(
  scores: ReadonlyMap<P, Float64Array>,
  kept: number,
  size: number,
  comparable: 'by length' | 'as they are' = 'by length',
): ReadonlyMap<P, readonly number[]> => {
  const scaled = comparable === 'by length' ? normalized : (own: Float64Array) => own;
  const blocks = [...scores].flatMap(([part, own]) => blocksOf(part, scaled(own), size));
  const order = blocks.sort((a, b) => Number(b.first) - Number(a.first) || b.score - a.score);
  const chosen = new Map<P, number[]>([...scores.keys()].map((part) => [part, []]));
  let left = kept;
  for (const { part, units, first } of order) {
    if (left < units.length && !first) continue;
    chosen.get(part)?.push(...units);
    left -= units.length;
  }
  return new Map([...chosen].map(([part, units]) => [part, ascending(units)]));
};
