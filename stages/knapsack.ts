/** One way of having something: what it costs beyond the cheapest, and what is lost by it. */
export interface Rung {
  readonly cost: number;
  readonly harm: number;
}

/** Something with the ways of having it, the cheapest first. */
export interface Item<N, R extends Rung = Rung> {
  readonly name: N;
  readonly rungs: readonly R[];
}

/** Something that goes from one way of having it to a dearer one. */
export interface Step<N> {
  readonly name: N;
  readonly from: number;
  /** Its new rung. */
  readonly to: number;
  /** What that costs, and what it saves of the harm. */
  readonly cost: number;
  readonly harm: number;
}

/** Rungs by item. */
export type Assigned<N> = ReadonlyMap<N, number>;

const slopeOf = ({ cost, harm }: Rung): number => (cost > 0 ? harm / cost : harm > 0 ? Number.POSITIVE_INFINITY : 0);

/** From a rung on, the one that saves most by what it costs, and so on: the lower convex hull of what an item can be. */
const hullOf = <N>({ name, rungs }: Item<N>): readonly Step<N>[] => {
  const steps: Step<N>[] = [];
  let from = 0;
  while (true) {
    const at = rungs[from];
    if (at === undefined) return steps;
    const ahead = rungs.flatMap(({ cost, harm }, to): readonly Step<N>[] => {
      const step = { name, from, to, cost: cost - at.cost, harm: at.harm - harm };
      return to > from && step.harm > 0 ? [step] : [];
    });
    const [first] = ahead.toSorted((a, b) => (slopeOf(a) === slopeOf(b) ? 0 : slopeOf(b) - slopeOf(a)));
    if (first === undefined) return steps;
    steps.push(first);
    from = first.to;
  }
};

/** Steps of an item with what each saves by what it costs: none more than the one before it, whatever rounding says. */
const ranked = <N>(item: Item<N>): readonly { readonly step: Step<N>; readonly slope: number }[] => {
  let least = Number.POSITIVE_INFINITY;
  return hullOf(item).map((step) => {
    least = Math.min(least, slopeOf(step));
    return { step, slope: least };
  });
};

/**
 * Steps from the cheapest of everything on, those first that save most harm by what they cost. Single harms add up, so that what
 * stands after any number of them loses about as little as can be lost at this cost (the greedy solution of the multiple-choice
 * knapsack, Sinha and Zoltners 1979).
 */
export const pathOf = <N>(items: readonly Item<N>[]): readonly Step<N>[] =>
  items
    .flatMap(ranked)
    .toSorted((a, b) => (a.slope === b.slope ? 0 : b.slope - a.slope))
    .map(({ step }) => step);

/** Steps that fit into a budget, in their order; an item that has no room for one takes none beyond it. */
export const stepsWithin = <N>(path: readonly Step<N>[], budget: number): readonly Step<N>[] => {
  const stopped = new Set<N>();
  let left = budget;
  return path.filter((step) => {
    if (stopped.has(step.name)) return false;
    const fits = step.cost <= left;
    if (fits) left -= step.cost;
    else stopped.add(step.name);
    return fits;
  });
};

/** Where everything stands after some steps. */
export const standing = <N>(items: readonly Item<N>[], steps: readonly Step<N>[]): Assigned<N> =>
  new Map([...items.map(({ name }) => [name, 0] as const), ...steps.map(({ name, to }) => [name, to] as const)]);

const total = <N>(items: readonly Item<N>[], assigned: Assigned<N>, of: (rung: Rung) => number): number =>
  items.reduce((sum, { name, rungs }) => {
    const rung = rungs[assigned.get(name) ?? 0];
    return sum + (rung === undefined ? 0 : of(rung));
  }, 0);

/** What all lose together, by the sum of what each loses alone. */
export const harmOf = <N>(items: readonly Item<N>[], assigned: Assigned<N>): number =>
  total(items, assigned, ({ harm }) => harm);

/** What all cost beyond the cheapest. */
export const costOf = <N>(items: readonly Item<N>[], assigned: Assigned<N>): number =>
  total(items, assigned, ({ cost }) => cost);

/** The rung of an item that saves most harm of all that fit. */
const bestWithin = <N>(
  { rungs }: Item<N>,
  at: number,
  room: number,
): { readonly to: number; readonly saved: number } => {
  const own = rungs[at];
  let best = { to: at, saved: 0 };
  if (own === undefined) return best;
  rungs.forEach(({ cost, harm }, to) => {
    if (cost - own.cost <= room && own.harm - harm > best.saved) best = { to, saved: own.harm - harm };
  });
  return best;
};

/** Spends what a path left over on single rungs off the hull, those first that save most. */
export const filled = <N>(items: readonly Item<N>[], assigned: Assigned<N>, budget: number): Assigned<N> => {
  const taken = new Map(assigned);
  while (true) {
    const room = budget - costOf(items, taken);
    const [best] = items
      .map((item) => ({ name: item.name, ...bestWithin(item, taken.get(item.name) ?? 0, room) }))
      .toSorted((a, b) => b.saved - a.saved);
    if (best === undefined || best.saved <= 0) return taken;
    taken.set(best.name, best.to);
  }
};
