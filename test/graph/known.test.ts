import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Tensor as Fed, InferenceSession } from '../../engine/engines/onnxruntime/native.ts';
import { float32Of, numbersOf, type Tensor } from '../../graph/tensor.ts';
import { knownFolder, knownNames, knownTruth } from '../rig/known.ts';

const fed = (tensor: Tensor): Fed => {
  if (tensor.dtype === 'bool') return new Fed('bool', Uint8Array.from(numbersOf(tensor)), tensor.dims);
  return tensor.dtype === 'float32'
    ? new Fed('float32', float32Of(tensor), tensor.dims)
    : new Fed('int64', BigInt64Array.from(numbersOf(tensor).map(BigInt)), tensor.dims);
};

const answers = async (session: InferenceSession, inputs: Readonly<Record<string, Tensor>>): Promise<Float32Array> => {
  const feeds = Object.entries(inputs).map(([name, tensor]) => [name, fed(tensor)] as const);
  const [output = ''] = session.outputNames;
  const { [output]: found } = await session.run(Object.fromEntries(feeds));
  if (!(found?.data instanceof Float32Array)) throw new Error(`${output} is not float32`);
  return found.data;
};

const furthest = (found: Float32Array, expected: Float32Array): number =>
  found.reduce((most, value, i) => Math.max(most, Math.abs(value - (expected[i] ?? Number.NaN))), 0);

test('exports of every family are kept', () => {
  expect(knownNames.length).toBeGreaterThanOrEqual(20);
  expect(new Set(knownNames.map((name) => knownTruth(name).exporter)).size).toBeGreaterThanOrEqual(8);
});

test.each(knownNames)('the export %s answers in ONNX Runtime as the model did in PyTorch', async (name) => {
  const { samples, tolerance } = knownTruth(name);
  const session = await InferenceSession.create(join(knownFolder, `${name}.onnx`), { logSeverityLevel: 3 });
  for (const { inputs, output } of samples) {
    const found = await answers(session, inputs);
    const expected = float32Of(output);
    expect(found.length).toBe(expected.length);
    expect(furthest(found, expected)).toBeLessThanOrEqual(tolerance);
  }
});

test.each(knownNames)('the truth of %s tells apart what its cuts remove', (name) => {
  const { samples, cuts = [], anatomy } = knownTruth(name);
  for (const { removed, outputs } of cuts) {
    expect(removed.layers.every((index) => index < anatomy.layers.length)).toBe(true);
    for (const [i, output] of outputs.entries()) {
      expect(furthest(float32Of(output), float32Of(samples[i]?.output ?? output))).toBeGreaterThan(1e-3);
    }
  }
});
