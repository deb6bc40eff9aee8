import { describe, expect, it } from 'vitest';
import { planTraining } from '../../engine/training-plan.ts';

const lengths = Int32Array.from({ length: 100 }, (_, i) => 3 + (i % 7));
const options = { epochs: 3, batch: 8, accumulate: 2 };

describe('a training plan', () => {
  it('counts updates of whole epochs, the last of each possibly smaller', () => {
    const plan = planTraining(lengths, options, 1);
    expect(plan).toMatchObject({ stepsPerEpoch: 7, totalSteps: 21, epochs: 3 });
    const seen = Array.from({ length: 7 }, (_, step) => plan.update(7 + step)).flat();
    expect(seen.flatMap(({ rows }) => [...rows]).sort((a, b) => a - b)).toEqual([...lengths.keys()]);
  });

  it('gives an update the same texts whenever it is asked, in whatever order', () => {
    const forwards = planTraining(lengths, options, 1);
    const backwards = planTraining(lengths, options, 1);
    const steps = Array.from({ length: 21 }, (_, step) => step);
    const late = new Map(steps.toReversed().map((step) => [step, JSON.stringify(backwards.update(step))]));
    for (const step of steps) expect(JSON.stringify(forwards.update(step))).toBe(late.get(step));
  });

  it('counts parts of epochs in updates, one at least', () => {
    expect(planTraining(lengths, { ...options, epochs: 2.4 }, 1)).toMatchObject({ totalSteps: 17, epochs: 3 });
    expect(planTraining(lengths, { ...options, epochs: 0.01 }, 1)).toMatchObject({ totalSteps: 1, epochs: 1 });
  });

  it('ends after the asked number of updates', () => {
    expect(planTraining(lengths, { ...options, steps: 10 }, 1)).toMatchObject({ totalSteps: 10, epochs: 2 });
  });
});
