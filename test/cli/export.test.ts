import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { value } from '../../graph/graph.ts';
import { tensorOf } from '../../graph/tensor.ts';
import { writeModel } from '../../models/files.ts';
import { smallEncoder } from '../models/support.ts';
import { decant } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

const space = workspace();
afterAll(() => space[Symbol.dispose]());

/** Wide enough for INT8 to gain something. */
const model = smallEncoder({ hidden: 64, ffn: 128, vocabulary: 2000 });

beforeAll(async () => {
  await writeModel(space.path('stage'), model);
  const weights = new Map(model.graph.weights);
  weights.set(value('classifier.bias'), tensorOf('float32', [3], Float32Array.of(0, Number.NaN, 0)));
  await writeModel(space.path('broken'), { ...model, graph: { ...model.graph, weights } });
  await writeModel(space.path('tiny'), smallEncoder());
});

const run = (...args: readonly string[]) => decant(['export', ...args], { cwd: space.folder });
const filesIn = (folder: string): readonly string[] =>
  readdirSync(space.path(folder), { recursive: true, encoding: 'utf8' }).filter((file) => file.includes('.')).sort();
const leftovers = (): readonly string[] => readdirSync(space.folder).filter((name) => name.endsWith('.part'));

const common = ['README.md', 'config.json', 'special_tokens_map.json', 'tokenizer.json', 'tokenizer_config.json'];

describe('decant export', () => {
  it('writes the model of a stage as a folder that says the same', async () => {
    const { code, stdout } = await run('stage', 'web/float', '--to', 'transformers-js');
    expect({ code, first: stdout.split('\n')[0] }).toEqual({
      code: 0,
      first: 'web/float: text-classification, 3 classes (distilbert)',
    });
    expect(filesIn('web/float')).toEqual([...common, 'onnx/model.onnx'].sort());
    const [before, after] = [
      await decant(['predict', 'stage', 'the old cat', '--json'], { cwd: space.folder }),
      await decant(['predict', 'web/float', 'the old cat', '--json'], { cwd: space.folder }),
    ];
    expect(JSON.parse(after.stdout)).toEqual(JSON.parse(before.stdout));
  });

  it('writes an INT8 file beside the float one, and the folder again with both', async () => {
    const quantized = await run('stage', 'web/both', '--quantize', '--json');
    const again = await run('web/both', 'web/again', '--json');
    const [first, second] = [JSON.parse(quantized.stdout), JSON.parse(again.stdout)];
    expect(first).toMatchObject({
      folder: 'web/both',
      to: 'transformers-js',
      task: 'text-classification',
      modelType: 'distilbert',
      labels: ['animal', 'motion', 'rest'],
      files: [{ precision: 'fp32', file: 'onnx/model.onnx' }, { precision: 'q8' }],
    });
    expect(first.files[0].bytes).toBeGreaterThan(3 * first.files[1].bytes);
    expect(second).toEqual({ ...first, folder: 'web/again' });
    for (const file of filesIn('web/both')) {
      expect(readFileSync(space.path('web/again', file)).equals(readFileSync(space.path('web/both', file)))).toBe(true);
    }
  });

  it('replaces what it exported before, and leaves files of others there', async () => {
    await run('stage', 'web/twice', '--quantize');
    space.write('web/twice/notes.txt', 'mine');
    const { code } = await run('tiny', 'web/twice');
    expect({ code, files: filesIn('web/twice') }).toEqual({
      code: 0,
      files: [...common, 'notes.txt', 'onnx/model.onnx'].sort(),
    });
  });

  it('can write into the folder that it reads', async () => {
    await run('stage', 'web/same');
    const { code } = await run('web/same', 'web/same', '--quantize');
    expect({ code, files: filesIn('web/same') }).toEqual({
      code: 0,
      files: [...common, 'onnx/model.onnx', 'onnx/model_quantized.onnx'].sort(),
    });
  });

  it.each([
    [['nowhere', 'out'], 2, 'nowhere: no such folder; expected a model folder such as runs/NAME/models/student\n'],
    [['stage', 'stage'], 2, 'stage: holds files that decant did not export; name another folder, or empty this one\n'],
    [['stage', 'a-file'], 2, 'a-file: is a file; expected the name of a folder to write\n'],
    [['tiny', 'out', '--quantize'], 2, 'tiny: no matrix of this model is large enough to gain from INT8; leave out --quantize\n'],
    [['web/both', 'out', '--quantize'], 2, 'web/both: holds an INT8 model already; leave out --quantize\n'],
    [['broken', 'out'], 1, 'onnx/model.onnx gives numbers that are not finite; nothing was exported\n'],
  ] as const)('refuses %j and writes nothing', async (args, code, stderr) => {
    space.write('a-file', '');
    expect(await run(...args)).toMatchObject({ code, stdout: '', stderr });
    expect([existsSync(space.path('out')), leftovers()]).toEqual([false, []]);
  });

  it('refuses layouts that it does not know, and says which it does', async () => {
    const { code, stderr } = await run('stage', 'out', '--to', 'coreml');
    expect(code).toBe(2);
    expect(stderr).toContain('Allowed choices are transformers-js');
  });

  it('shows examples', async () => {
    const { code, stdout } = await run('--help');
    expect(code).toBe(0);
    expect(stdout).toContain('$ decant export runs/NAME/models/teacher runs/NAME/teacher');
  });
});
