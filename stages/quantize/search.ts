/** What is next below the fewest may hold again: what texts tell is not even from file to file. */
const FAILURES = 2;

/**
 * The fewest steps after which something holds that holds after all of them: found by halving the path, then by stepping down from
 * there until two in a row do not hold. Little is tried: a loss is judged by texts, and each file that is judged is a chance to be lucky.
 */
export const fewestHolding = async (most: number, holds: (steps: number) => Promise<boolean>): Promise<number> => {
  if (most === 0 || (await holds(0))) return 0;
  const failed = new Set([0]);
  let [low, high] = [0, most];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (await holds(middle)) high = middle;
    else {
      low = middle;
      failed.add(middle);
    }
  }
  let failures = 0;
  for (let steps = high - 1; steps > 0 && failures < FAILURES; steps--) {
    if (!failed.has(steps) && (await holds(steps))) [high, failures] = [steps, 0];
    else failures++;
  }
  return high;
};
