import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withForeign } from '../../pipeline/api/foreign.ts';
import type { Finding } from '../../pipeline/doctor/check.ts';
import { gradientsIn, judged } from '../../pipeline/doctor/checks/differentiate.ts';
import { learningOf } from '../../pipeline/doctor/learning.ts';
import { patientOf } from '../../pipeline/doctor/patient.ts';
import { isKnown, slopeAt } from '../../pipeline/doctor/slope.ts';
import { knownFolder } from '../rig/known.ts';

/** A slope of 100 that is 95 below `kink`, with a curve and the rounding of float32 on it. */
const bent =
  (kink: number) =>
  async (by: number): Promise<number> =>
    Math.fround(-8 + 100 * by + 2000 * by * by - 5 * Math.min(0, by - kink));

const verdict = async (file: string, wrong: number): Promise<Finding> =>
  await withForeign(join(knownFolder, file), { work: tmpdir(), offline: true }, async (foreign) => {
    const patient = patientOf(foreign, { threads: 1, inputs: [], folder: tmpdir() });
    const learning = await learningOf(patient, 'product');
    const gradients = await gradientsIn(learning);
    const told = new Map([...gradients].map(([name, one]) => [name, one.map((x) => wrong * x)]));
    return await judged(learning, patient.answer(), told);
  });

test.each([-1e-4, -1.2e-3, -5e-3])('differences see the slope past a kink at %d', async (kink) => {
  const { slope, within } = await slopeAt(bent(kink), 2.5e-3);
  expect(Math.abs(slope - 100)).toBeLessThan(0.5);
  expect(Math.abs(slope - 100)).toBeLessThanOrEqual(within);
});

test('a slope at a kink is not known', async () => {
  const found = await slopeAt(bent(0), 2.5e-3);
  expect(isKnown(found, 0.02)).toBe(false);
  expect(isKnown(found, 0.03)).toBe(true);
});

test('a slope that drowns in rounding is not known', async () => {
  const found = await slopeAt(async (by) => Math.fround(1e5 + 100 * by), 2.5e-3);
  expect(isKnown(found, 1e-2)).toBe(false);
});

test.each(['t5_encoder-constants.onnx', 'bart_decoder-optimum.onnx'])(
  'gradients of %s are well, and no longer where they are wrong by a fiftieth',
  async (file) => {
    expect(await verdict(file, 1)).toMatchObject({ ok: true });
    expect(await verdict(file, 1.02)).toMatchObject({ ok: false });
    expect(await verdict(file, 0.98)).toMatchObject({ ok: false });
  },
);
