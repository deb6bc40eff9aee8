import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { membersOf } from '../../models/anatomy/units.ts';
import type { Part } from '../../models/anatomy.ts';
import { readForeign } from '../../models/foreign.ts';
import { patientOf } from '../../pipeline/doctor/patient.ts';
import { drawUnits, heldAgainst, maskedGraph } from '../../pipeline/doctor/removed.ts';
import { knownFolder, knownNames } from '../rig/known.ts';

const TOLERANCE = 1e-5;
const CHOICES = 3;

const folder = mkdtempSync(join(tmpdir(), 'decant-cuts-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const patient = async (name: string) => {
  const file = join(knownFolder, `${name}.onnx`);
  const around = { kind: 'bare', folder: knownFolder } as const;
  return patientOf({ called: name, ...(await readForeign(file)), file, around }, { threads: 1, inputs: [], folder });
};

/** Any units of a part but all of them; heads that share keys and values together. */
const someOf = (generate: fc.GeneratorValue, part: Part): readonly number[] => {
  const units = part.group === undefined ? [] : membersOf(part);
  return generate(fc.subarray, [...units], { maxLength: Math.max(0, units.length - 1) }).flat();
};

const quantized = new Set(['distilbert-int8']);

describe('a graph without whatever units', () => {
  it.each(knownNames.filter((name) => !quantized.has(name)))(
    'answers as the one in which they compute in vain: %s',
    async (name) => {
      const whole = await patient(name);
      await fc.assert(
        fc.asyncProperty(fc.gen(), async (generate) => {
          const { gone, units } = drawUnits(whole.apart(), ['heads', 'crossHeads', 'ffn'], (part) =>
            someOf(generate, part),
          );
          const masked = maskedGraph(whole.apart(), gone);
          const { value } = await heldAgainst(whole, `${name}.onnx`, units, masked, gone, '');
          expect(value).toBeLessThan(TOLERANCE);
        }),
        { numRuns: CHOICES },
      );
    },
  );
});
