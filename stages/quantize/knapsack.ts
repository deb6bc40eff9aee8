import type { Value } from '../../graph/graph.ts';
import type { Storage } from '../../graph/quantize/choose.ts';

/** One way of storing a weight, all others in floats. */
export interface Rung {
  readonly storage: Storage;
  /** Of the file, beyond what the first way takes. */
  readonly bytes: number;
  /** Between the answers of both models, averaged over texts: nats for classes, else 1 - cosine. */
  readonly harm: number;
}

/** A weight with the ways of storing it, the one of fewest bytes first. */
export interface Site {
  readonly weight: Value;
  readonly rungs: readonly Rung[];
}

/** A weight that goes from one way of being stored to a wider one. */
export interface Step {
  readonly weight: Value;
  readonly from: number;
  /** Its new rung. */
  readonly to: number;
  /** What that takes of the file, and what it saves. */
  readonly bytes: number;
  readonly harm: number;
}

/** Rungs by weight. */
export type Assigned = ReadonlyMap<Value, number>;

const slopeOf = ({ bytes, harm }: Pick<Step, 'bytes' | 'harm'>): number =>
  bytes > 0 ? harm / bytes : harm > 0 ? Number.POSITIVE_INFINITY : 0;

/** From a rung on, the one that saves most by the byte, and so on: the lower convex hull of what a weight can be. */
const hullOf = ({ weight, rungs }: Site): readonly Step[] => {
  const steps: Step[] = [];
  let from = 0;
  while (true) {
    const at = rungs[from];
    if (at === undefined) return steps;
    const ahead = rungs.flatMap(({ bytes, harm }, to): readonly Step[] => {
      const step = { weight, from, to, bytes: bytes - at.bytes, harm: at.harm - harm };
      return to > from && step.harm > 0 ? [step] : [];
    });
    const [first] = ahead.toSorted((a, b) => (slopeOf(a) === slopeOf(b) ? 0 : slopeOf(b) - slopeOf(a)));
    if (first === undefined) return steps;
    steps.push(first);
    from = first.to;
  }
};

/** Steps of a weight with what each saves by the byte: none more than the one before it, whatever rounding says. */
const ranked = (site: Site): readonly { readonly step: Step; readonly slope: number }[] => {
  let least = Number.POSITIVE_INFINITY;
  return hullOf(site).map((step) => {
    least = Math.min(least, slopeOf(step));
    return { step, slope: least };
  });
};

/**
 * Steps from every weight in the fewest bytes on, those first that save most harm by the byte. Single harms add up, so that the
 * weights after any number of them lose about as little as a file of these bytes can lose (the greedy solution of the
 * multiple-choice knapsack, Sinha and Zoltners 1979).
 */
export const pathOf = (sites: readonly Site[]): readonly Step[] =>
  sites
    .flatMap(ranked)
    .toSorted((a, b) => (a.slope === b.slope ? 0 : b.slope - a.slope))
    .map(({ step }) => step);

/** Steps after which every weight stands in the finest blocks that save anything: beyond, floats alone take their place. */
export const throughBlocks = (sites: readonly Site[], path: readonly Step[]): number => {
  const rungs = new Map(sites.map((site) => [site.weight, site.rungs]));
  return path.findLastIndex(({ weight, to }) => rungs.get(weight)?.[to]?.storage !== 'float') + 1;
};

/** Steps that fit into so many bytes, in their order; a weight that has no room for one takes none beyond it. */
export const stepsWithin = (path: readonly Step[], bytes: number): readonly Step[] => {
  const stopped = new Set<Value>();
  let left = bytes;
  return path.filter((step) => {
    if (stopped.has(step.weight)) return false;
    const fits = step.bytes <= left;
    if (fits) left -= step.bytes;
    else stopped.add(step.weight);
    return fits;
  });
};

/** Where the weights stand after some steps. */
export const standing = (sites: readonly Site[], steps: readonly Step[]): Assigned =>
  new Map([
    ...sites.map(({ weight }) => [weight, 0] as const),
    ...steps.map(({ weight, to }) => [weight, to] as const),
  ]);

/** What weights lose together, by the sum of what each loses alone. */
export const harmOf = (sites: readonly Site[], assigned: Assigned): number =>
  sites.reduce((sum, { weight, rungs }) => sum + (rungs[assigned.get(weight) ?? 0]?.harm ?? 0), 0);

/** What weights take beyond the fewest bytes. */
export const extraOf = (sites: readonly Site[], assigned: Assigned): number =>
  sites.reduce((sum, { weight, rungs }) => sum + (rungs[assigned.get(weight) ?? 0]?.bytes ?? 0), 0);
