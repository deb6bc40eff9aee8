/** What is made for an amount, and what it comes to by measurement. */
export interface Settled<T> {
  readonly made: T;
  readonly found: number;
}

/** How near is near enough to stop, how far off is still what was asked for, and how often to try. */
const [NEAR, MET, TRIES] = [0.04, 0.1, 6];

/** Whether what was found is within 10 % of what was asked. */
export const isMet = (found: number, asked: number): boolean =>
  found <= asked / (1 - MET) && found >= asked / (1 + MET);

const distance = (found: number, asked: number): number => Math.abs(Math.log(found / asked));

/**
 * Makes something for an amount, measures what it comes to, and corrects the amount by how far that is off: what blocks cost
 * together is not quite the sum of what each costs alone. The nearest of all that were made.
 */
export const settled = async <T>(
  asked: number,
  make: (amount: number) => Promise<T>,
  measure: (made: T) => Promise<number>,
  isSame: (a: T, b: T) => boolean,
): Promise<Settled<T>> => {
  let amount = asked;
  let nearest: Settled<T> | undefined;
  let before: T | undefined;
  for (let tries = 0; tries < TRIES; tries++) {
    const made = await make(amount);
    if (nearest !== undefined && before !== undefined && isSame(made, before)) break;
    const found = await measure(made);
    if (nearest === undefined || distance(found, asked) < distance(nearest.found, asked)) nearest = { made, found };
    if (distance(found, asked) < NEAR) break;
    amount *= asked / found;
    before = made;
  }
  if (nearest === undefined) throw new Error('nothing was made');
  return nearest;
};
