import { describe, expect, it } from 'vitest';
import type { Engine, HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { verdictOn } from './conformance.ts';
import { sampleCases } from './sample-cases.ts';

const TOLERANCE = 1e-5;

/** The CPU with something wrong about what it gives. */
const wrong = (change: (tensor: HostTensor) => HostTensor): Engine => ({
  ...cpuEngine,
  compile: async (graph, options) => {
    const program = await cpuEngine.compile(graph, options);
    return {
      bind: (...of) => program.bind(...of),
      renew: (...of) => program.renew(...of),
      release: () => program.release(),
      run: async (...of) =>
        Object.fromEntries(Object.entries(await program.run(...of)).map(([name, tensor]) => [name, change(tensor)])),
    };
  },
});

const first = (number: (x: number) => number) =>
  wrong(({ data, ...type }) => ({ ...type, data: (data as Float32Array).map((x, i) => (i === 0 ? number(x) : x)) }));

const verdict = async (engine: Engine): Promise<string> => {
  const sample = sampleCases.find(({ name }) => name.startsWith('MatMul since'));
  if (sample === undefined) throw new Error('MatMul has no sample');
  return verdictOn(engine, sample, TOLERANCE);
};

describe('what is compared with the CPU is found', () => {
  it.each([
    ['right where nothing is changed', wrong((tensor) => tensor), /^right$/],
    ['right within the tolerance', first((x) => x * (1 + 1e-7)), /^right$/],
    ['wrong by a number', first((x) => x + 1), /^'y0' is off by /],
    ['wrong where it is none', first(() => Number.NaN), /^'y0' is off by Infinity$/],
    ['wrong of another shape', wrong((tensor) => ({ ...tensor, dims: [1, ...tensor.dims] })), /^failed: /],
    ['wrong of another type', wrong((tensor) => ({ ...tensor, dtype: 'float16' })), /^failed: /],
    [
      'refused where it does not compile',
      { ...cpuEngine, compile: () => Promise.reject(new Error('no kernel')) },
      /^refused: no kernel$/,
    ],
  ])('%s', async (_, engine, expected) => {
    expect(await verdict(engine)).toMatch(expected);
  });
});
