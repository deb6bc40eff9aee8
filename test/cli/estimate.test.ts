import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeGraph } from '../../graph/codec/index.ts';
import { writeModel } from '../../models/files.ts';
import { type Estimate, type EstimateOptions, estimate } from '../../pipeline/api/index.ts';
import { tinyDecoder } from '../decoders/tiny.ts';
import { decant } from '../rig/cli.ts';
import { smallClassifier } from '../rig/small-models.ts';
import { workspace } from '../rig/workspace.ts';

const space = workspace();

beforeAll(async () => {
  await writeModel(space.path('student'), smallClassifier());
  await writeModel(space.path('writer'), tinyDecoder());
  const { graph } = smallClassifier();
  await writeGraph(space.path('bare.onnx'), graph);
});
afterAll(() => space[Symbol.dispose]());

const place = (name: string): string => space.path(name);

describe('decant estimate', () => {
  it('says what a pass, an update and new tokens take, each beside what was measured', async () => {
    const asked = ['writer', '--length', '16', '--tokens', '8', '--train', '--json'];
    const { code, stdout } = await decant(['estimate', ...asked], { cwd: space.folder });
    expect(code).toBe(0);
    const found: Estimate = JSON.parse(stdout);
    expect(found.task).toBe('text-generation');
    expect(found.flops.ratio).toBeCloseTo(1, 2);
    for (const { measured } of [found.milliseconds, found.training.milliseconds, found.newTokens?.milliseconds].map(
      Object,
    ))
      expect(measured).toBeGreaterThan(0);
    for (const { measured } of [found.bytes, found.training.bytes].map(Object)) expect(measured).toBeGreaterThan(0);
    // Two layers of two heads of keys and values of 8 numbers: 4 bytes each.
    expect(found.newTokens?.cacheOfToken).toBe(2 * 2 * 2 * 8 * 4);
    expect(found.newTokens?.cache).toEqual({ estimated: 24 * 256, measured: 24 * 256, ratio: 1 });
    expect(found.training.recomputed).toBeLessThan(found.training.activations ?? 0);
    expect(found.notes).toEqual([]);
  });

  it('runs nothing where nobody wants that', async () => {
    const found = await estimate(place('student'), { batch: 4, measure: false });
    expect([found.rates, found.milliseconds, found.bytes.measured, found.newTokens]).toEqual([null, null, null, null]);
    expect(found.length).toBe(12);
    expect(found.training.gradients).toBe(4 * found.parameters);
    expect(found.training.optimizer).toBe(8 * found.parameters);
  });

  it('says of a graph whose texts nobody can make what its operators say, and why no more', async () => {
    const own = await estimate(place('student'), { measure: false, length: 8 });
    const bare = await estimate(place('bare.onnx'), { length: 8 });
    expect(bare.flops).toEqual(own.flops);
    expect(bare.training.activations).toBeNull();
    expect(bare.notes[0]).toMatch(/^nothing was measured: .*tokenizer/);
  });

  const refused: readonly (readonly [string, EstimateOptions, RegExp])[] = [
    ['student', { length: 4000 }, /takes at most 12 tokens, and --length asks for 4000/],
    ['student', { tokens: 5 }, /is made for text-classification and writes no tokens; leave --tokens out/],
    ['writer', { length: 30, tokens: 5 }, /takes at most 32 tokens, and --length and --tokens ask for 35/],
    ['student', { train: true, measure: false }, /--train measures updates, and --no-measure runs nothing/],
    ['nowhere', {}, /no such file or folder/],
  ];

  it.each(refused)('refuses %s with %o', async (name, options, message) => {
    await expect(estimate(place(name), { measure: false, ...options })).rejects.toThrow(message);
  });

  it('says on one line what it cannot take', async () => {
    space.write('pipeline.yaml', 'version: 1\n');
    const { code, stderr } = await decant(['estimate', 'pipeline.yaml'], { cwd: space.folder });
    expect(stderr).toMatch(/^pipeline\.yaml: is no model; decant plan says what a pipeline takes/);
    expect(code).toBe(2);
  });
});
