import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import { elementCount } from '../../graph/tensor.ts';
import { readForeign } from '../../models/foreign.ts';
import type { Inputs } from '../../pipeline/api/types/graphs.ts';
import { patientOf } from '../../pipeline/doctor/patient.ts';
import { drawUnits, heldAgainst, maskedGraph } from '../../pipeline/doctor/removed.ts';
import { knownFolder } from '../rig/known.ts';

const folder = mkdtempSync(join(tmpdir(), 'decant-sizes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const image = (...dims: readonly number[]): Inputs => {
  const random = stream(1, `image ${dims}`);
  const data = Array.from({ length: elementCount(dims) }, () => random.normal());
  return { pixel_values: { dtype: 'float32', dims, data } };
};

it('without heads behind shifted windows an image of any size is answered as where they compute in vain', async () => {
  const file = join(knownFolder, 'swin-optfused.onnx');
  const around = { kind: 'bare', folder: knownFolder } as const;
  const inputs = [image(3, 3, 32, 64), image(1, 3, 48, 16)];
  const foreign = { called: file, ...(await readForeign(file)), file, around };
  const whole = patientOf(foreign, { threads: 1, inputs, folder });
  const { gone, units } = drawUnits(whole.apart(), ['heads'], () => [1]);
  expect(Object.keys(units.heads)).toHaveLength(4);
  const { value } = await heldAgainst(whole, 'cut.onnx', units, maskedGraph(whole.apart(), gone), gone, '');
  expect(value).toBeLessThan(1e-5);
});
