import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { criticalValue, twoSidedP } from '../../data/statistics/distributions.ts';
import { intervalOf, pOutside } from '../../data/statistics/effects.ts';
import { holm } from '../../data/statistics/holm.ts';
import { pairedEffect, rateInterval, unpairedEffect } from '../../data/statistics/pairs.ts';

const TO_SIX_DIGITS = 6;
/** What an outside oracle prints has more digits than this. */
const ORACLE_DIGITS = 9;

describe('critical values', () => {
  it.each([
    // Of the tables of Fisher and Yates, with the digits that R's qt and qnorm give.
    [0.05, Number.POSITIVE_INFINITY, 1.959964],
    [0.001, Number.POSITIVE_INFINITY, 3.290527],
    [0.05, 1, 12.706205],
    [0.05, 2, 4.302653],
    [0.05, 10, 2.228139],
    [0.01, 9, 3.249836],
    [0.001, 5, 6.868827],
    [0.05, 30, 2.042272],
  ])('at %d with %d degrees of freedom: %d', (alpha, degrees, expected) => {
    expect(criticalValue(alpha, degrees)).toBeCloseTo(expected, TO_SIX_DIGITS);
    expect(twoSidedP(expected, degrees)).toBeCloseTo(alpha, TO_SIX_DIGITS);
  });

  // scipy 1.17: t.ppf(1 - alpha / 2, degrees)
  it.each([
    [0.05, 1, 12.706204736174694],
    [0.0025, 1, 254.64659994875322],
    [0.05, 2, 4.302652729749462],
    [0.0025, 2, 19.962480451643184],
    [0.05, 3, 3.1824463052837078],
    [0.0025, 3, 9.464899663536398],
    [0.05, 4, 2.7764451051977934],
    [0.0025, 4, 6.758252832704313],
    [0.05, 7, 2.364624251592784],
    [0.0025, 7, 4.594638202685227],
    [0.05, 30, 2.0422724563012378],
    [0.0025, 30, 3.299893643532204],
    [0.05, 99, 1.9842169515864174],
    [0.0025, 99, 3.102616799226479],
  ])('at %d with %d degrees of freedom, to the digits of an oracle: %d', (alpha, degrees, expected) => {
    expect(criticalValue(alpha, degrees)).toBeCloseTo(expected, ORACLE_DIGITS);
  });
});

describe("Holm's correction", () => {
  it('rejects in the order of p until one is not rejected', () => {
    // Worked example of Wikipedia's article on the method: p of 0.01, 0.04, 0.03, 0.005 at 0.05.
    const steps = holm([0.01, 0.04, 0.03, 0.005], 0.05);
    expect(steps.map(({ rejected }) => rejected)).toEqual([true, false, false, true]);
    expect(steps.map(({ alpha }) => alpha)).toEqual([0.05 / 3, 0.05 / 2, 0.05 / 2, 0.05 / 4]);
  });

  it('gives each comparison an interval that leaves out the band exactly where it is rejected', () => {
    const effect = fc.record({
      ...{ estimate: fc.constant(0), centre: fc.double({ min: -2, max: 2, noNaN: true }) },
      ...{ error: fc.double({ min: 0.01, max: 1, noNaN: true }), degrees: fc.constantFrom(3, 12, Infinity) },
      also: fc.option(fc.double({ min: -2, max: 2, noNaN: true }).map((low) => ({ low, high: low + 0.1 }))),
    });
    fc.assert(
      fc.property(fc.array(effect, { minLength: 1, maxLength: 12 }), fc.constantFrom(0, 0.05, 0.3), (effects, band) => {
        const ps = effects.map((one) => pOutside(one, band));
        for (const [i, { alpha, rejected }] of holm(ps, 0.05).entries()) {
          const one = effects[i];
          const { low, high } = one === undefined ? { low: 0, high: 0 } : intervalOf(one, alpha);
          expect(low > band || high < -band).toBe(rejected);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('has nothing to reject where nothing is compared', () => {
    expect(holm([], 0.05)).toEqual([]);
    expect(holm([Number.NaN], 0.05)).toEqual([{ alpha: 0.05, rejected: false }]);
  });
});

describe('accuracies on different examples', () => {
  it('differ by the adjusted interval of Agresti and Caffo', () => {
    // 56 of 70 against 48 of 80, their (2000) formula by hand: 57/72 - 49/82, √(57·15/72³ + 49·33/82³).
    const { centre, error } = unpairedEffect({ right: 56, n: 70 }, { right: 48, n: 80 });
    expect(centre).toBeCloseTo(57 / 72 - 49 / 82, 12);
    expect(error).toBeCloseTo(Math.sqrt((57 * 15) / 72 ** 3 + (49 * 33) / 82 ** 3), 12);
  });

  it('are known less well than on the same ones', () => {
    const paired = rateInterval(pairedEffect({ n: 1000, gained: 20, lost: 40 }));
    const unpaired = intervalOf(unpairedEffect({ right: 780, n: 1000 }, { right: 800, n: 1000 }), 0.05);
    expect(unpaired.high - unpaired.low).toBeGreaterThan(paired.high - paired.low);
  });
});
