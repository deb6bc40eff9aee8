/** What is made for an amount, and what it comes to by measurement. */
export interface Settled<T> {
  readonly made: T;
  readonly found: number;
}

/** How near is near enough to stop, how far off is still what was asked for, and how often to try. */
const [NEAR, MET, TRIES] = [0.04, 0.1, 8];

/** Whether what was found is within 10 % of what was asked. */
export const isMet = (found: number, asked: number): boolean =>
  found <= asked / (1 - MET) && found >= asked / (1 + MET);

const distance = (found: number, asked: number): number => Math.abs(Math.log(found / asked));

/** An amount and what came of it, in logarithms. */
interface Point {
  readonly amount: number;
  readonly found: number;
}

/** How much of the way between two points a guess stays away from both. */
const INSIDE = 0.1;

/** The amount between one that came to too little and one that came to too much; beyond the only one by as much as it is off. */
const nextAmount = (points: readonly Point[], asked: number): number => {
  const under = points.filter(({ found }) => found <= asked).toSorted((a, b) => b.found - a.found)[0];
  const over = points.filter(({ found }) => found > asked).toSorted((a, b) => a.found - b.found)[0];
  const last = points.at(-1);
  if (last === undefined) return asked;
  if (under === undefined || over === undefined) return last.amount + asked - last.found;
  const share = (asked - under.found) / (over.found - under.found);
  return under.amount + (over.amount - under.amount) * Math.min(1 - INSIDE, Math.max(INSIDE, share));
};

/**
 * Makes something for an amount, measures what it comes to, and corrects the amount by how far that is off: what blocks cost
 * together is not quite the sum of what each costs alone. What is made once more is not measured again. The nearest of all.
 */
export const settled = async <T>(
  asked: number,
  make: (amount: number) => Promise<T>,
  measure: (made: T) => Promise<number>,
  isSame: (a: T, b: T) => boolean,
): Promise<Settled<T>> => {
  const points: Point[] = [];
  const tried: Settled<T>[] = [];
  for (let tries = 0; tries < TRIES; tries++) {
    const amount = nextAmount(points, Math.log(asked));
    const made = await make(Math.exp(amount));
    const known = tried.find((one) => isSame(one.made, made));
    const found = known?.found ?? (await measure(made));
    if (known === undefined) tried.push({ made, found });
    if (distance(found, asked) < NEAR) break;
    points.push({ amount, found: Math.log(found) });
  }
  const [nearest] = tried.toSorted((a, b) => distance(a.found, asked) - distance(b.found, asked));
  if (nearest === undefined) throw new Error('nothing was made');
  return nearest;
};
