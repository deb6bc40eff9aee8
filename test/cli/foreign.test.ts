import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readModel } from '../../models/files.ts';
import { decant } from '../rig/cli.ts';
import { writeSmallModels } from '../rig/small-models.ts';
import { workspace } from '../rig/workspace.ts';

const space = workspace();
const golden = join(import.meta.dirname, '../golden/exports');

/** A file of another maker in the workspace. */
const placed = (name: string, at = `${name}.onnx`): string => {
  mkdirSync(dirname(space.path(at)), { recursive: true });
  cpSync(join(golden, `${name}.onnx`), space.path(at));
  return at;
};

beforeAll(async () => {
  await writeSmallModels(space);
  for (const name of ['bert-ts', 'albert-dy', 'llama-ts', 'gpt2-dy', 'vit-ts']) placed(name);
});
afterAll(() => space[Symbol.dispose]());

const run = (...args: readonly string[]) => decant(args, { cwd: space.folder });

const done = async (...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await run(...args);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
};

const layersOf = async (path: string) =>
  JSON.parse(await done('inspect', path, '--json')).anatomy.layers.map(
    ({ heads, kvHeads, ffn }: { heads: number; kvHeads: number; ffn: number }) => [heads, kvHeads, ffn],
  );

describe('prune', () => {
  it('keeps so much of each layer, and says what it removed', async () => {
    const removed = JSON.parse(
      await done('prune', 'bert-ts.onnx', '--keep-heads', '50%', '--keep-ffn', '10', '-o', 'less.onnx'),
    );
    expect(Object.keys(removed)).toEqual(['heads', 'crossHeads', 'ffn', 'layers']);
    expect(removed.heads['0']).toHaveLength(1);
    expect(removed.ffn['1']).toHaveLength(14);
    expect(removed.layers).toEqual([]);
    expect(await layersOf('less.onnx')).toEqual([
      [1, 1, 10],
      [1, 1, 10],
    ]);
  });

  it('removes exactly what a file names, which is what it says: the same bytes', async () => {
    const said = await done('prune', 'bert-ts.onnx', '--keep-heads', '1', '--keep-layers', '1', '-o', 'by-size.onnx');
    space.write('units.json', said);
    const again = await done('prune', 'bert-ts.onnx', '--remove', 'units.json', '-o', 'by-name.onnx', '--json');
    expect(again).toBe(said);
    expect(readFileSync(space.path('by-name.onnx')).equals(readFileSync(space.path('by-size.onnx')))).toBe(true);
    expect(await layersOf('by-name.onnx')).toEqual([[1, 1, 24]]);
  });

  it('cuts layers that share their weights alike, also where one of them goes', async () => {
    await done('prune', 'albert-dy.onnx', '--keep-heads', '50%', '--keep-layers', '1', '-o', 'albert.onnx');
    expect(await layersOf('albert.onnx')).toEqual([[1, 1, 24]]);
  });

  it('stores weights in float16 where asked, and counts and cuts them as before', async () => {
    await done('prune', 'deploy/onnx/model.onnx', '--keep-ffn', '50%', '-o', 'whole.onnx');
    await done('prune', 'deploy/onnx/model.onnx', '--keep-ffn', '50%', '--float16', '-o', 'half.onnx');
    const half = JSON.parse(await done('inspect', 'half.onnx', '--json'));
    expect(half.parameters).toBe(JSON.parse(await done('inspect', 'whole.onnx', '--json')).parameters);
    expect(readFileSync(space.path('half.onnx')).length).toBeLessThan(readFileSync(space.path('whole.onnx')).length);
    await done('optimize', 'half.onnx', '-o', 'again.onnx');
    const checks = JSON.parse(await done('doctor', 'half.onnx', '--json')).checks;
    expect(checks.filter(({ ok }: { ok: boolean }) => !ok)).toEqual([]);
    const { code, stderr } = await run('prune', 'student', '--keep-ffn', '8', '--float16', '-o', 'half-student');
    expect([code, stderr]).toEqual([2, expect.stringContaining('half-student: a folder of decant holds its weights')]);
  });

  it('writes a folder with the tokenizer and the settings that stood around the graph, and nothing else', async () => {
    placed('bert-ts', 'hub/onnx/model.onnx');
    for (const name of ['tokenizer.json', 'config.json', 'notes.json']) space.write(`hub/${name}`, `{"is":"${name}"}`);
    space.write('secret.txt', 'of somebody');
    symlinkSync(space.path('secret.txt'), space.path('hub/vocab.txt'));
    await done('prune', 'hub', '--keep-ffn', '8', '-o', 'smaller');
    expect(readFileSync(space.path('smaller/tokenizer.json'), 'utf8')).toBe('{"is":"tokenizer.json"}');
    expect(['onnx/model.onnx', 'config.json'].map((name) => existsSync(space.path('smaller', name)))).toEqual([
      true,
      true,
    ]);
    expect(['notes.json', 'vocab.txt'].map((name) => existsSync(space.path('smaller', name)))).toEqual([false, false]);
    expect(await layersOf('smaller')).toEqual([
      [2, 2, 8],
      [2, 2, 8],
    ]);
  });

  it('keeps the description of a stage, and of an exported folder, in agreement', async () => {
    for (const [from, to] of [
      ['student', 'small-student'],
      ['deploy', 'small-deploy'],
    ] as const) {
      await done('prune', from, '--keep-heads', '2', '--keep-ffn', '32', '--keep-layers', '1', '-o', to);
      const { info } = await readModel(space.path(to), { precision: 'fp32' });
      expect(info.dimensions).toMatchObject({ heads: 2, ffn: 32, layers: 1 });
      expect((await done('predict', to, 'the cat runs')).length).toBeGreaterThan(0);
    }
  });

  it('says which of two graphs in one file it takes', async () => {
    cpSync(join(golden, 'known/bart_decoder-optimum.onnx'), space.path('bart.onnx'));
    const { code, stderr } = await run('prune', 'bart.onnx', '--keep-ffn', '50%', '-o', 'bart-small.onnx');
    expect(code).toBe(0);
    expect(stderr).toMatch(/^bart\.onnx {2}the input 'use_cache_branch' chooses between two graphs in one file: .*\n$/);
    const { inputs } = JSON.parse(await done('inspect', 'bart-small.onnx', '--json'));
    expect(inputs.map(({ name }: { name: string }) => name)).not.toContain('use_cache_branch');
  });

  it.each([
    [['int8', '--keep-ffn', '8', '-o', 'x'], 'int8: the model is quantized already'],
    [['bert-ts.onnx', '-o', 'x.onnx'], 'nothing is to go; say how much is kept'],
    [['bert-ts.onnx', '--keep-ffn', '0', '-o', 'x.onnx'], 'Expected a whole number from 1'],
    [['bert-ts.onnx', '--keep-heads', '3', '-o', 'x.onnx'], 'layer 0 heads: 3 were to be kept, and there are 2'],
    [['bert-ts.onnx', '--keep-ffn', '8', '-o', 'bert-ts.onnx'], 'bert-ts.onnx: is what is read'],
    [['bert-ts.onnx', '--keep-ffn', '8', '-o', 'student'], 'student: holds files already'],
    [['bert-ts.onnx', '--remove', 'wrong.json', '-o', 'x.onnx'], 'wrong.json: '],
    [['bert-ts.onnx', '--remove', 'far.json', '-o', 'x.onnx'], 'ffn: layer 1 has no number 24; expected 0 to 23'],
    [['bert-ts.onnx', '--remove', 'none.json', '-o', 'x.onnx'], 'none.json: no such file'],
    [['nowhere.onnx', '--keep-ffn', '8', '-o', 'x.onnx'], 'nowhere.onnx: no such file or folder'],
  ])('says what is wrong with %j', async (args, message) => {
    space.write('wrong.json', '{"neurons":{"0":[1]}}');
    space.write('far.json', '{"ffn":{"1":[24]}}');
    const { code, stdout, stderr } = await run('prune', ...args);
    expect(stderr).toContain(message);
    expect([code, stdout, existsSync(space.path('x.onnx'))]).toEqual([2, '', false]);
  });
});

describe('quantize', () => {
  it('stores matrices in 8 bits, all but those that are left out', async () => {
    const all = JSON.parse(await done('quantize', 'bert-ts.onnx', '-o', 'q.onnx', '--min-elements', '0', '--json'));
    expect(all.quantized).toBeGreaterThan(10);
    const [first] = all.weights.filter(({ storage }: { storage: string }) => storage === 'int8');
    const fewer = JSON.parse(
      await done('quantize', 'bert-ts.onnx', '-o', 'r.onnx', '--min-elements', '0', '--json', '--skip', first.name),
    );
    expect(fewer.quantized).toBe(all.quantized - 1);
    expect(all.bytes.after).toBeLessThan(fewer.bytes.after);
  });

  it('refuses what is quantized, what is too small, and names of nothing', async () => {
    await done('quantize', 'gpt2-dy.onnx', '-o', 'again.onnx', '--min-elements', '0');
    const wrong = async (...args: readonly string[]) => (await run('quantize', ...args, '-o', 'z.onnx')).stderr;
    expect(await wrong('again.onnx', '--min-elements', '0')).toContain('again.onnx: the model is quantized already');
    expect(await wrong('bert-ts.onnx')).toContain('no matrix can be stored in 8 bits');
    expect(await wrong('bert-ts.onnx', '--skip', 'nothing')).toContain("--skip: 'nothing' names no weight");
    expect(existsSync(space.path('z.onnx'))).toBe(false);
  });
});

describe('optimize', () => {
  it('leaves fewer operators, in which decant still finds what there was', async () => {
    const { nodes } = JSON.parse(await done('optimize', 'bert-ts.onnx', '-o', 'fast.onnx', '--json'));
    expect(nodes.after).toBeLessThan(nodes.before / 2);
    expect(await layersOf('fast.onnx')).toEqual(await layersOf('bert-ts.onnx'));
  });
});

const checked = z.object({
  checks: z.array(
    z.object({
      ...{ name: z.string(), ok: z.boolean(), why: z.string() },
      ...{ value: z.number().nullable(), limit: z.number().nullable() },
    }),
  ),
});

describe('doctor', () => {
  it.each(['bert-ts', 'llama-ts', 'vit-ts'])('finds everything well with %s, and leaves its files', async (name) => {
    const { checks } = checked.parse(
      JSON.parse(await done('doctor', `${name}.onnx`, '--json', '--keep', `of-${name}`)),
    );
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(checks.map((check) => check.name)).toEqual([
      ...['load', 'normalise', 'anatomy', 'remove heads', 'remove neurons', 'remove a layer'],
      ...['differentiate', 'train', 'fuse', 'int8', 'save'],
    ]);
    expect(existsSync(space.path(`of-${name}`, 'without-heads.onnx'))).toBe(true);
  });

  it('takes inputs of the user, and says which fit', async () => {
    const ids = { dtype: 'int64', dims: [2, 3], data: [1, 2, 3, 4, 5, 6] };
    const ones = { ...ids, data: [1, 1, 1, 1, 1, 0] };
    space.write('in.json', JSON.stringify({ input_ids: ids, attention_mask: ones, token_type_ids: { ...ones } }));
    expect(await done('doctor', 'bert-ts.onnx', '--inputs', 'in.json')).toContain('fed input_ids [2, 3]');
    space.write('in.json', JSON.stringify({ input_ids: ids }));
    const { code, stdout } = await run('doctor', 'bert-ts.onnx', '--inputs', 'in.json');
    expect([code, stdout]).toEqual([1, expect.stringContaining("the input 'attention_mask' is missing")]);
  });

  it('says what stops it, and of the rest that it was not tried', async () => {
    const { code, stdout } = await run('doctor', 'int8', '--json');
    const { checks } = checked.parse(JSON.parse(stdout));
    expect(code).toBe(1);
    const well = checks.filter(({ ok }) => ok).map(({ name }) => name);
    expect(well).toEqual(['load', 'normalise', 'anatomy', 'fuse', 'save']);
    expect(checks.find(({ name }) => name === 'remove heads')?.why).toContain('quantized already');
    expect(checks.find(({ name }) => name === 'train')?.why).toBe('not tried: differentiate failed');
  });

  it('ends with 2 where a model cannot be read, or takes more memory than it may', async () => {
    space.write('picture.onnx', Buffer.from('89504e470d0a1a0a', 'hex'));
    const { code, stdout, stderr } = await run('doctor', 'picture.onnx', '--json');
    expect([code, stderr]).toEqual([2, expect.stringContaining('picture.onnx: ')]);
    expect(checked.parse(JSON.parse(stdout)).checks.every(({ ok }) => !ok)).toBe(true);
    const little = await run('doctor', 'bert-ts.onnx', '--memory', '20');
    expect([little.code, little.stderr]).toEqual([2, expect.stringContaining('it took more than 20.00 MB of memory')]);
  });
});
