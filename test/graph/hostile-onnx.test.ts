import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeGraph, readGraph } from '../../graph/codec/index.ts';
import type { Graph } from '../../graph/graph.ts';
import { isUserError } from '../../ground/errors.ts';
import { rolesOf, sampleFeeds } from '../../models/bare/index.ts';
import { effort, isLate } from '../rig/effort.ts';
import { hostileCommands } from '../rig/hostile/commands.ts';
import { replaceFiles } from '../rig/hostile/folder.ts';
import { goldenExport, hollow, strangers, wrongOnnx } from '../rig/hostile/onnx-cases.ts';
import { type Ended, faultsOf } from '../rig/hostile/run.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

/** What one file may cost. */
const MOST_SECONDS = 1;
const MOST_BYTES = 300e6;

let space: Workspace;
beforeAll(() => {
  space = workspace();
});
afterAll(() => space[Symbol.dispose]());

const refusal = async (read: () => Promise<Graph>): Promise<string> => {
  try {
    return `accepted ${(await read()).name}`;
  } catch (error) {
    return isUserError(error) ? error.message : `a bug: ${error instanceof Error ? error.stack : error}`;
  }
};

describe('a file is refused that has', () => {
  it.each(wrongOnnx)('$name', async ({ bytes, beside = {}, message }) => {
    const content = bytes();
    replaceFiles(space.path('model'), { 'model.onnx': content, ...beside });
    const taken = effort();
    const said = await refusal(() => readGraph(space.path('model', 'model.onnx')));
    expect(said).toMatch(message);
    expect(said.split('\n')).toHaveLength(1);
    expect(isLate(taken(), MOST_SECONDS)).toBe(false);
  });

  it('a link in the place of its external data', async () => {
    const external = wrongOnnx.find(({ name }) => name === 'external data with an offset behind the end');
    replaceFiles(space.path('linked'), { 'model.onnx': external?.bytes() ?? '' });
    writeFileSync(space.path('secret'), new Uint8Array(100));
    symlinkSync(space.path('secret'), space.path('linked', 'weights.bin'));
    const read = () => readGraph(space.path('linked', 'model.onnx'));
    expect(await refusal(read)).toMatch(/a link to a file outside the model's folder/);
  });

  it('a link to itself there', async () => {
    const external = wrongOnnx.find(({ name }) => name === 'external data with an offset behind the end');
    replaceFiles(space.path('loop'), { 'model.onnx': external?.bytes() ?? '' });
    symlinkSync(space.path('loop', 'weights.bin'), space.path('loop', 'weights.bin'));
    expect(await refusal(() => readGraph(space.path('loop', 'model.onnx')))).toMatch(/cannot be opened \(ELOOP\)/);
  });
});

describe('the command line', () => {
  const commands = hostileCommands();
  afterAll(() => commands[Symbol.asyncDispose]());

  const expectOneError = (ended: Ended): void => {
    expect(faultsOf(ended)).toEqual([]);
    expect([ended.code, ended.stdout]).toEqual([2, '']);
    expect(ended.peakBytes).toBeLessThan(MOST_BYTES);
    expect(isLate(ended.cpuSeconds, MOST_SECONDS)).toBe(false);
  };

  it.each(
    [
      ...['external data at ../secret', 'external data at /dev/zero', 'dimensions whose product overflows', 'a cycle'],
      ...['operator set 99', 'bodies 1,000 deep', 'a function that calls itself', 'a length of 2 GB', 'a picture'],
    ].map((name) => wrongOnnx.find((one) => one.name === name) ?? name),
  )('ends with one error for $name, and writes nothing', async (given) => {
    if (typeof given === 'string') throw new Error(`there is no case '${given}'`);
    replaceFiles(space.path('case'), { 'model.onnx': given.bytes(), ...given.beside });
    const before = readdirSync(space.folder, { recursive: true });
    expectOneError(await commands.run(['inspect', space.path('case', 'model.onnx')], space.folder));
    expect(readdirSync(space.folder, { recursive: true })).toEqual(before);
  });

  /** Every verb that takes the file of a model and needs nothing else. */
  const verbs = (model: string): readonly (readonly string[])[] => [
    ['prune', model, '--keep-ffn', '50%', '-o', space.path('out.onnx')],
    ['quantize', model, '--min-elements', '1', '-o', space.path('out')],
    ['optimize', model, '-o', space.path('out.onnx')],
  ];

  it.each(strangers)('shows a file with $name as far as it is known, and ends with one error', async (given) => {
    replaceFiles(space.path('strange'), { 'model.onnx': given.bytes() });
    const model = space.path('strange', 'model.onnx');
    const before = readdirSync(space.folder, { recursive: true });
    for (const args of verbs(model)) expectOneError(await commands.run(args, space.folder));
    const said = await commands.run(['inspect', model], space.folder);
    const read = await commands.run(['inspect', model, '--json'], space.folder);
    expect(readdirSync(space.folder, { recursive: true })).toEqual(before);
    expect([said.code, read.code, read.stderr]).toEqual([2, 2, said.stderr]);
    expect(said.stderr.trim().split('\n')).toEqual([expect.stringMatching(given.message)]);
    expect(said.stdout).toContain(`unknown to decant: ${given.operator}`);
    expect(JSON.parse(read.stdout)).toMatchObject({
      unknown: [given.operator],
      unregistered: expect.stringMatching(given.message),
    });
  });

  it.each(hollow)('ends with one error for $name', async ({ bytes, message }) => {
    replaceFiles(space.path('hollow'), { 'model.onnx': bytes() });
    const model = space.path('hollow', 'model.onnx');
    for (const args of [['inspect', model], ...verbs(model)]) {
      const ended = await commands.run(args, space.folder);
      expectOneError(ended);
      expect(ended.stderr).toMatch(message);
    }
  });

  it('ends with one error for a folder and a named pipe', async () => {
    mkdirSync(space.path('empty'));
    mkdirSync(space.path('named.onnx'));
    expectOneError(await commands.run(['inspect', space.path('empty')], space.folder));
    expectOneError(await commands.run(['inspect', space.path('named.onnx')], space.folder));
    if (spawnSync('mkfifo', [space.path('pipe.onnx')]).status !== 0) return;
    expectOneError(await commands.run(['inspect', space.path('pipe.onnx')], space.folder));
  });
});

/** Small files of several architectures and both exporters. */
const golden = ['vit-dy', 'albert-dy', 'bert-dy', 'llama-dy', 'modernbert-dy', 'gpt2-dy', 'vit-ts', 'bert-ts'];
const sound = golden.map(goldenExport);

/** A place anywhere in a file: those near its beginning are no likelier than others. */
const place = fc.noBias(fc.nat(1_000_000)).map((millionths) => millionths / 1_000_000);

const damage = fc.oneof(
  { weight: 1, arbitrary: fc.record({ cut: place }) },
  {
    weight: 3,
    arbitrary: fc.record({
      flips: fc.array(fc.tuple(place, fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 3 }),
    }),
  },
);

type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

const damaged = (bytes: Buffer, how: Damage): Buffer => {
  if ('cut' in how) return bytes.subarray(0, Math.floor(how.cut * bytes.length));
  const copy = Buffer.from(bytes);
  for (const [share, flip] of how.flips) {
    const at = Math.min(bytes.length - 1, Math.floor(share * bytes.length));
    copy[at] = (copy[at] ?? 0) ^ flip;
  }
  return copy;
};

/** Reads it, and looks at what it is fed where it can be read: a message, or nothing. */
const outcome = (bytes: Buffer, more: boolean): string | undefined => {
  try {
    const graph = decodeGraph(bytes, { folder: space.folder });
    if (more) sampleFeeds(rolesOf(graph), { batch: 2, sequence: 5, seed: 1 });
    return undefined;
  } catch (error) {
    if (isUserError(error)) return error.message;
    throw error;
  }
};

describe('files of other makers with damaged bytes', () => {
  it('are read or refused with a message, 2,400 times', () => {
    let slowest = 0;
    const seen = { read: 0, refused: 0 };
    fc.assert(
      fc.property(fc.nat(sound.length - 1), damage, (which, how) => {
        const taken = effort();
        const said = outcome(damaged(sound[which] ?? Buffer.alloc(0), how), false);
        slowest = Math.max(slowest, taken());
        seen[said === undefined ? 'read' : 'refused']++;
      }),
      { numRuns: 2400, seed: 17 },
    );
    expect(seen.read).toBeGreaterThan(100);
    expect(seen.refused).toBeGreaterThan(800);
    expect(isLate(slowest, MOST_SECONDS)).toBe(false);
  });

  it('where they are read, can be asked what they are fed, or are refused', () => {
    fc.assert(
      fc.property(fc.nat(sound.length - 1), damage, (which, how) => {
        outcome(damaged(sound[which] ?? Buffer.alloc(0), how), true);
      }),
      { numRuns: 200, seed: 18 },
    );
  });
});
