/**
 * Units that can be removed, joined where an operator can only lose several of them together (Tarjan 1975, union by
 * smaller number so that names stay stable). One extra member stands for "always stays".
 */
export interface Units {
  readonly count: number;
  /** Joins two units; -1 stands for what always stays. Says whether that was news. */
  join(a: number, b: number): boolean;
  /** The representative of a unit, or -1 where it always stays. */
  find(unit: number): number;
}

export const unitsOf = (count: number): Units => {
  // Member 0 is "always stays", so it represents whatever is joined with it.
  const parent = Int32Array.from({ length: count + 1 }, (_, i) => i);
  const root = (member: number): number => {
    let at = member;
    while ((parent[at] as number) !== at) {
      parent[at] = parent[parent[at] as number] as number;
      at = parent[at] as number;
    }
    return at;
  };
  return {
    count,
    join: (a, b) => {
      const [low, high] = [root(a + 1), root(b + 1)].sort((x, y) => x - y) as [number, number];
      parent[high] = low;
      return low !== high;
    },
    find: (unit) => root(unit + 1) - 1,
  };
};

/** Representatives in rising order, and for each unit its position among them (-1 where it always stays). */
export const numberUnits = (units: Units): { readonly count: number; readonly numberOf: Int32Array } => {
  const numberOf = new Int32Array(units.count).fill(-1);
  let count = 0;
  for (let unit = 0; unit < units.count; unit++) if (units.find(unit) === unit) numberOf[unit] = count++;
  return {
    count,
    numberOf: numberOf.map((_, unit) => (units.find(unit) < 0 ? -1 : (numberOf[units.find(unit)] ?? -1))),
  };
};
