/**
 * Share of Student's t distribution with n degrees of freedom (a whole number) between -t and t: the finite series of
 * Abramowitz and Stegun 26.7.3 (odd n) and 26.7.4 (even n).
 */
const withinT = (t: number, n: number): number => {
  const angle = Math.atan(t / Math.sqrt(n));
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const odd = n % 2 === 1;
  let term = odd ? cosine : 1;
  let sum = n === 1 ? 0 : term;
  for (let k = odd ? 2 : 1; k <= n - 3; k += 2) {
    term *= (k / (k + 1)) * cosine ** 2;
    sum += term;
  }
  return odd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
};

/** t beyond which Student's distribution with n degrees of freedom has `tails` of its mass, both tails together. */
export const studentT = (n: number, tails = 0.05): number => {
  let [low, high] = [0, 2];
  while (withinT(high, n) < 1 - tails) high *= 2;
  for (let i = 0; i < 200 && high - low > 1e-14 * high; i++) {
    const middle = (low + high) / 2;
    if (withinT(middle, n) < 1 - tails) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
};
