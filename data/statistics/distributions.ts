/** Beyond this many degrees of freedom Student's t is the normal distribution for every purpose here. */
const NORMAL_FROM = 1000;

/** Beyond this the tails of the normal distribution are below what a double can tell from nothing. */
const FARTHEST = 9;

/** P(|Z| <= z) of a standard normal: z φ(z) (1 + z²/3 + z⁴/15 + ...) (Abramowitz and Stegun 1964, 26.2.11). */
const normalWithin = (z: number): number => {
  if (z >= FARTHEST) return 1;
  let sum = 0;
  let term = z;
  for (let odd = 3; term > sum * Number.EPSILON; odd += 2) {
    sum += term;
    term *= z ** 2 / odd;
  }
  return Math.min(1, (2 * sum * Math.exp(-(z ** 2) / 2)) / Math.sqrt(2 * Math.PI));
};

/** P(|T| <= t) of Student's t with a whole number of degrees of freedom (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4). */
const studentWithin = (t: number, degrees: number): number => {
  const angle = Math.atan(t / Math.sqrt(degrees));
  const square = Math.cos(angle) ** 2;
  const odd = degrees % 2 === 1;
  let term = odd ? Math.cos(angle) : 1;
  let sum = degrees === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k < degrees - 1; k += 2) {
    term *= ((k - 1) / k) * square;
    sum += term;
  }
  return odd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
};

const within = (t: number, degrees: number): number =>
  degrees >= NORMAL_FROM ? normalWithin(t) : studentWithin(t, Math.max(1, Math.floor(degrees)));

/**
 * Two-sided p of a statistic that follows Student's t; infinite degrees of freedom are the normal distribution. Fractional
 * ones are rounded down, which errs on the side of no difference.
 */
export const twoSidedP = (t: number, degrees: number): number => Math.max(0, 1 - within(Math.abs(t), degrees));

/** The statistic whose two-sided p is `alpha`, by bisection. */
export const criticalValue = (alpha: number, degrees: number): number => {
  let [low, high] = [0, 1];
  while (twoSidedP(high, degrees) > alpha && high < 1e9) high *= 2;
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2;
    if (twoSidedP(middle, degrees) > alpha) low = middle;
    else high = middle;
  }
  return high;
};
