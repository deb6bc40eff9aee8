import { createHash } from 'node:crypto';
import { renameSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { placedFile, placedText, verifyPlaced } from '../../reports/placed.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

const files: Readonly<Record<string, readonly string[]>> = {
  deploy: [
    ...['config.json', 'tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'README.md'],
    ...['1_Pooling/config.json', 'onnx/model.onnx', 'onnx/model.onnx_data', 'onnx/model_quantized.onnx'],
  ],
  'models/int8': ['model.onnx', 'model.json', 'tokenizer.json', 'quantization.json'],
};

const put = (space: Workspace): void => {
  const record = (folder: string, file: string) => {
    space.write(`${folder}/${file}`, file);
    return [file, { digest: createHash('sha256').update(file).digest('hex'), size: file.length }] as const;
  };
  const folders = Object.entries(files).map(
    ([folder, names]) => [folder, Object.fromEntries(names.map((name) => record(folder, name)))] as const,
  );
  space.write(placedFile, placedText(Object.fromEntries(folders)));
};

const whole = Object.entries(files).flatMap(([folder, names]) => names.map((file) => [folder, file] as const));
const isSpare = (file: string): boolean => /\.(?:onnx|onnx_data|md)$/.test(file);

describe('a folder of a run', () => {
  it.each(whole.filter(([, file]) => !isSpare(file)))(
    '%s that lost %s is refused by its name',
    async (folder, file) => {
      using space = workspace();
      put(space);
      const path = space.path(folder);
      await verifyPlaced(path);
      renameSync(space.path(folder, file), space.path('aside'));
      await expect(verifyPlaced(path)).rejects.toThrow(`${space.path(folder, file)} is missing; expected sha256 `);
      await verifyPlaced(space.path(folder === 'deploy' ? 'models/int8' : 'deploy'));
    },
  );

  it.each(whole.filter(([, file]) => isSpare(file)))('%s may lack %s, but not hold another', async (folder, file) => {
    using space = workspace();
    put(space);
    renameSync(space.path(folder, file), space.path('aside'));
    await verifyPlaced(space.path(folder));
    space.write(`${folder}/${file}`, 'another');
    await expect(verifyPlaced(space.path(folder))).rejects.toThrow('was changed since the run wrote it');
  });

  it('says nothing of what lies elsewhere', async () => {
    using space = workspace();
    put(space);
    space.write('mine/config.json', '{}');
    await verifyPlaced(space.path('mine'));
    await verifyPlaced(space.path('models/int8/model.onnx'));
  });
});
