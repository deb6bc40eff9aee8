import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storedAs } from '../../graph/quantize/convert.ts';
import { formats } from '../../graph/quantize/formats/index.ts';
import { exportModels } from '../../stages/export/folder.ts';
import { decant } from '../rig/cli.ts';
import { smallClassifier, writeSmallModels } from '../rig/small-models.ts';
import { workspace } from '../rig/workspace.ts';

const space = workspace();
beforeAll(() => writeSmallModels(space));
afterAll(() => space[Symbol.dispose]());

const run = (...args: readonly string[]) => decant(args, { cwd: space.folder });

const answers = async (...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await run('predict', ...args, 'the cat runs', '--json');
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
};

describe('predict', () => {
  it('takes the file of a folder that --dtype names, q8 where nobody does, and a file by its path', async () => {
    const [float, int8] = [await answers('student'), await answers('int8')];
    expect(float).not.toBe(int8);
    expect(await answers('deploy', '--dtype', 'fp32')).toBe(float);
    expect(await answers('deploy/onnx/model.onnx')).toBe(float);
    expect(await answers('student/model.onnx')).toBe(float);
    for (const path of [['deploy'], ['deploy', '--dtype', 'q8'], ['deploy/onnx/model_quantized.onnx']])
      expect(await answers(...path)).toBe(int8);
  });

  it('takes weights in blocks of any bits by their names', async () => {
    const model = smallClassifier();
    const blocks = formats.filter(({ products }) => products.kind === 'blocks');
    const stored = blocks.map((format) => {
      const { graph } = storedAs(model.graph, { format, block: 16, minimumTable: 1 });
      return [format.dtype, { ...model, graph }] as const;
    });
    await exportModels(space.path('blocks'), new Map(stored), { threads: 1, results: '' });
    const said = new Set<string>();
    for (const { dtype } of blocks) said.add(await answers('blocks', '--dtype', dtype));
    expect(said.size).toBe(blocks.length);
    expect(await answers('blocks/onnx/model_q4.onnx')).toBe(await answers('blocks', '--dtype', 'q4'));
  });

  it('reads a checkpoint of Hugging Face as import does', async () => {
    cpSync(join(import.meta.dirname, '../golden/checkpoints/bert'), space.path('checkpoint'), { recursive: true });
    expect(JSON.parse(await answers('checkpoint'))).toHaveLength(1);
  });

  it('reads a graph of any maker with a tokenizer beside it', async () => {
    for (const file of ['model.onnx', 'tokenizer.json'])
      cpSync(space.path('student', file), space.path('foreign', file), { recursive: true });
    expect(JSON.parse(await answers('foreign/model.onnx'))[0].label).toMatch(/^LABEL_[012]$/);
  });

  it.each([
    [['student', '--dtype', 'q8'], 'student holds no q8 model; it has fp32'],
    [['deploy/onnx/model.onnx', '--dtype', 'fp32'], 'deploy/onnx/model.onnx: is one file; leave --dtype out'],
    [
      ['lonely/model.onnx'],
      'lonely/model.onnx: model.onnx has no tokenizer beside it, and without one no text can be read',
    ],
    [['deploy', '--dtype', 'fp16'], 'deploy holds no fp16 model; it has fp32, q8'],
  ])('says what is wrong with %j', async (args, message) => {
    cpSync(space.path('student/model.onnx'), space.path('lonely/model.onnx'));
    const { code, stderr } = await run('predict', ...args, 'a text');
    expect(code).toBeGreaterThan(0);
    expect(stderr).toContain(message);
  });
});

describe('inspect', () => {
  const inspected = async (...args: readonly string[]) => JSON.parse((await run('inspect', ...args, '--json')).stdout);

  it('shows the file of a folder that --dtype names, and which others there are', async () => {
    const [float, int8] = [await inspected('deploy', '--dtype', 'fp32'), await inspected('deploy')];
    expect([float.file, int8.file]).toEqual(['onnx/model.onnx', 'onnx/model_quantized.onnx']);
    expect(int8.bytes).toBeLessThan(float.bytes / 2);
    expect((await run('inspect', 'deploy')).stdout).toContain(
      'file        onnx/model_quantized.onnx (also there: fp32)',
    );
    const { code, stderr } = await run('inspect', 'deploy', '--dtype', 'q4');
    expect([code, stderr]).toEqual([2, 'deploy holds no q4 model; it has fp32, q8\n']);
  });

  it('knows heads and neurons of the INT8 file', async () => {
    const layer = { heads: 4, kvHeads: 4, headWidth: 16, ffn: 128, gated: false, inputWidth: 64, outputWidth: 64 };
    expect((await inspected('deploy/onnx/model_quantized.onnx')).anatomy.layers).toEqual([layer, layer]);
  });
});
