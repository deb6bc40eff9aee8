/**
 * The fewest steps after which something holds that holds after all of them: found by halving the path, so that little is tried. A
 * loss is judged by texts, and each file that is judged by them is a chance to be lucky.
 */
export const fewestHolding = async (most: number, holds: (steps: number) => Promise<boolean>): Promise<number> => {
  if (most === 0 || (await holds(0))) return 0;
  let [low, high] = [0, most];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (await holds(middle)) high = middle;
    else low = middle;
  }
  return high;
};
