import { join } from 'node:path';
import { expect, test } from 'vitest';
import { float32Of, numbersOf, type Tensor } from '../../graph/tensor.ts';
import { transposed } from '../../graph/transposed.ts';
import { gradientsOf } from '../../pipeline/api/gradients.ts';
import type { TensorData } from '../../pipeline/api/types/graphs.ts';
import { knownFolder, knownTruth } from '../rig/known.ts';

const plain = (tensor: Tensor): TensorData => ({ dtype: tensor.dtype, dims: tensor.dims, data: numbersOf(tensor) });

/** The largest difference, by the largest number that was expected; biases of keys have gradients of next to nothing. */
const distance = (found: Float32Array, expected: Float32Array): number => {
  const largest = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-3);
  return expected.reduce((most, x, i) => Math.max(most, Math.abs(x - (found[i] ?? Number.NaN))), 0) / largest;
};

test.each(['roberta-ts17train', 'mobilebert-dy18', 'albert-slim', 'neox-dy20', 'bart_decoder-optimum'])(
  'gradients of %s are those of PyTorch under the names of the file, the way round that it has its weights',
  async (name) => {
    const { samples, gradients } = knownTruth(name);
    if (gradients === undefined) throw new Error(`${name} has no gradients`);
    const given = Object.entries(samples[gradients.sample]?.inputs ?? {}).map(([input, one]) => [input, plain(one)]);
    const cotangent = numbersOf(gradients.cotangent);
    const found = await gradientsOf(join(knownFolder, `${name}.onnx`), Object.fromEntries(given), { cotangent });
    const compared = gradients.weights.flatMap(({ torch, initializers, ...known }) => {
      const [first] = initializers.filter((one) => found[one.name] !== undefined);
      if (initializers.length === 0) return [];
      const gradient = first === undefined ? undefined : found[first.name];
      if (first === undefined || gradient === undefined) return [[torch, 'not found']];
      expect(gradient.dims, torch).toEqual(first.dims);
      const expected = first.transposed ? transposed(known) : known;
      return distance(gradient.data, float32Of(expected)) < 1e-3 ? [] : [[torch, first.name]];
    });
    expect(compared).toEqual([]);
  },
);

test('gradients of a branch that is not looked at are refused', async () => {
  const { samples } = knownTruth('bart_decoder-optimum');
  const given = Object.entries(samples[0]?.inputs ?? {}).map(([input, one]) => [input, plain(one)]);
  const inputs = { ...Object.fromEntries(given), use_cache_branch: { dtype: 'bool', dims: [1], data: [1] } };
  const asked = gradientsOf(join(knownFolder, 'bart_decoder-optimum.onnx'), inputs, {});
  await expect(asked).rejects.toThrow("the input 'use_cache_branch' is taken to be false");
});
