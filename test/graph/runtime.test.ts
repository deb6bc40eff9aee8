import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { GraphBuilder } from '../../graph/builder.ts';
import { quantizeWeights } from '../../graph/quantize/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { runtimeNeed } from '../../graph/runtime.ts';
import { goldenNames, importGolden } from '../models/golden-checkpoints.ts';

const outcome = z.enum(['equal', 'differs', 'refused', 'crashed']);
const outcomes = z
  .record(z.string(), z.record(z.string(), outcome))
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, '../golden/runtimes.json'), 'utf8')));

const minorOf = (version: string): number => Number(version.split('.')[1]);

/** The first version from which on all of them gave today's answers. */
const measured = (name: string): number => {
  const tried = Object.entries(outcomes[name] ?? {}).sort(([a], [b]) => minorOf(a) - minorOf(b));
  const last = tried.findLastIndex(([, result]) => result !== 'equal');
  return minorOf(tried[last + 1]?.[0] ?? '');
};

const adding = (opset: number) => {
  const builder = new GraphBuilder('adding', { '': opset });
  const x = builder.input('x', 'float32', [2]);
  return builder.freeze([builder.op('Add', [x, x])]);
};

describe('the oldest ONNX Runtime of a graph', () => {
  it.each(goldenNames)('is for %s the one that was found by trying', async (name) => {
    const { graph } = await importGolden(name);
    const fused = fuseForInference(graph);
    expect(runtimeNeed(fused)).toEqual({ minor: measured(name), opset: 20, format: 9 });
    expect(runtimeNeed(quantizeWeights(fused).graph).minor).toBe(measured(name));
  });

  it('was tried on versions that refuse, and on some that end the process or answer otherwise', () => {
    const results = Object.values(outcomes).flatMap((one) => Object.values(one));
    expect(new Set(results)).toEqual(new Set(outcome.options));
  });

  it.each([
    [13, 15, 9],
    [18, 15, 9],
    [19, 15, 9],
    [20, 17, 9],
    [21, 18, 10],
    [22, 21, 10],
    [23, 23, 11],
  ])('follows from operator set %i: 1.%i, with file format %i', (opset, minor, format) => {
    expect(runtimeNeed(adding(opset))).toEqual({ minor, opset, format });
  });

  it('is refused for an operator set that no version loads', () => {
    expect(() => runtimeNeed(adding(99))).toThrow('no ONNX Runtime is known that loads operator set 99');
  });
});
