/** Shares of a weight's size, each half of the one before: large ones see the curve of a loss, small ones rounding. */
const STEPS = Array.from({ length: 10 }, (_, i) => 2e-3 / 2 ** i);
/** So many steps in a row have to agree: two of them do by chance now and then. */
const IN_A_ROW = 3;

/** A slope by differences, and how far from it the true one may lie. */
export interface Measured {
  readonly slope: number;
  readonly within: number;
}

interface Differences {
  readonly slope: number;
  /** How far the slopes to either side lie from it: by a curve, by a kink close by (a ReLU that turns), or by rounding. */
  readonly apart: number;
}

/** The slope at the last of some steps, as sure as all of them agree, each in itself and one with another. */
const agreed = (row: readonly Differences[], { slope }: Differences): Measured => ({
  slope,
  within: Math.max(...row.flatMap((one) => [one.apart, Math.abs(one.slope - slope)])),
});

/** Whether a slope is surer than another, for its size. */
export const surer = (a: Measured, b: Measured): boolean => a.within * Math.abs(b.slope) < b.within * Math.abs(a.slope);

/** Whether a slope is known to a share of itself. */
export const isKnown = ({ slope, within }: Measured, share: number): boolean => within <= share * Math.abs(slope);

/**
 * The slope of a loss at 0 by central differences: at the step where those to either side, and those at the steps before, agree
 * best. Nothing else chooses it, least of all what it ought to be. It is enough to know it to `share` of itself.
 */
export const slopeAt = async (loss: (by: number) => Promise<number>, share: number): Promise<Measured> => {
  const here = await loss(0);
  const row: Differences[] = [];
  let best: Measured | undefined;
  for (const step of STEPS) {
    const [ahead, behind] = [((await loss(step)) - here) / step, (here - (await loss(-step))) / step];
    const found = { slope: (ahead + behind) / 2, apart: Math.abs(ahead - behind) / 2 };
    row.push(found);
    if (row.length < IN_A_ROW) continue;
    const measured = agreed(row.slice(-IN_A_ROW), found);
    if (best === undefined || surer(measured, best)) best = measured;
    if (isKnown(best, share)) break;
  }
  return best ?? { slope: Number.NaN, within: Number.POSITIVE_INFINITY };
};
