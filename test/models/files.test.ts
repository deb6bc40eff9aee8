import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { value } from '../../graph/graph.ts';
import { hiddenStatesOf } from '../../models/anatomy/hidden-states.ts';
import { readModel, readModelArtifact, writeModel } from '../../models/files.ts';
import { type Port, textPort, textSignature } from '../../models/signature.ts';
import { predictLogits } from '../engine/logits.ts';
import { importGolden } from './golden-checkpoints.ts';
import { largestDifference, smallEncoder } from './support.ts';

/** Float32 of another machine, over numbers around one. */
const ROUNDING = 1e-5;

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'decant-files-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const file = (name: string): string => join(folder, name);
const editJson = async (name: string, edit: (json: Record<string, unknown>) => void): Promise<void> => {
  const json = JSON.parse(await readFile(file(name), 'utf8'));
  edit(json);
  await writeFile(file(name), JSON.stringify(json));
};

describe('model folders', () => {
  it('read back what was written, and write equal bytes for equal models', async () => {
    const model = smallEncoder();
    await writeModel(folder, model);
    const first = await readFile(file('model.onnx'));
    const again = await readModel(folder);
    expect(again.info).toEqual(model.info);
    expect(again.tokenizer).toEqual(model.tokenizer);
    expect(again.graph.nodes).toEqual(model.graph.nodes);
    expect(again.graph.types).toEqual(model.graph.types);
    await writeModel(folder, again);
    expect((await readFile(file('model.onnx'))).equals(first)).toBe(true);
  });

  it('read through a path function, as stages get their inputs', async () => {
    await writeModel(folder, smallEncoder());
    expect((await readModelArtifact(file)).info.labels).toEqual(['animal', 'motion', 'rest']);
  });

  it('say so when nothing there is a model', async () => {
    await expect(readModel(folder)).rejects.toThrow(
      `${folder} holds no model: expected model.json (a stage's folder) or config.json (an exported folder)`,
    );
  });

  it('say so when they were exported by another tool', async () => {
    await writeFile(file('config.json'), '{"model_type":"bert"}');
    await expect(readModel(folder)).rejects.toThrow(`${folder} was not exported by decant`);
  });

  it('name the file that is missing', async () => {
    for (const name of ['model.onnx', 'tokenizer.json']) {
      await writeModel(folder, smallEncoder());
      await rm(file(name));
      await expect(readModel(folder)).rejects.toThrow(`${file(name)} does not exist: the model folder is incomplete`);
    }
  });

  it('name the file that is damaged', async () => {
    await writeModel(folder, smallEncoder());
    const bytes = await readFile(file('model.onnx'));
    await writeFile(file('model.onnx'), bytes.subarray(0, bytes.length / 2));
    await expect(readModel(folder)).rejects.toThrow(`${file('model.onnx')}: the file is cut short`);
    await writeFile(file('model.onnx'), bytes);
    await writeFile(file('tokenizer.json'), '{"model": {');
    await expect(readModel(folder)).rejects.toThrow(`${file('tokenizer.json')} is damaged: `);
    await writeFile(file('tokenizer.json'), '[1]');
    await expect(readModel(folder)).rejects.toThrow(`${file('tokenizer.json')} is damaged: it holds no JSON object`);
  });

  it('name the entry of model.json that is wrong', async () => {
    await writeModel(folder, smallEncoder());
    await editJson('model.json', (info) => {
      info.maxLength = 0;
    });
    await expect(readModel(folder)).rejects.toThrow(/model\.json does not describe a model of decant .*: maxLength: /);
  });

  it('refuse a graph whose inputs or output have other names than model.json says', async () => {
    await writeModel(folder, smallEncoder());
    const { signature } = smallEncoder().info;
    await editJson('model.json', (info) => {
      info.signature = { ...signature, outputs: [textPort(value('scores'))] };
    });
    await expect(readModel(folder)).rejects.toThrow(
      `${file('model.onnx')} has no output 'scores', which ${file('model.json')} names; it has logits`,
    );
    await editJson('model.json', (info) => {
      info.signature = textSignature(
        { ids: value('tokens'), mask: value('attention_mask') },
        textPort(value('logits')),
      );
    });
    await expect(readModel(folder)).rejects.toThrow(
      `${file('model.onnx')} has no input 'tokens', which ${file('model.json')} names; it has input_ids, attention_mask`,
    );
  });
});

/** Folders that were written when model.json was of the schema before. */
describe('model folders from before', () => {
  const golden = (name: string) => join(import.meta.dirname, '../golden/model-1', name);
  const expected = z
    .record(z.string(), z.array(z.number()))
    .parse(JSON.parse(readFileSync(golden('expected.json'), 'utf8')));

  it.each(Object.keys(expected))('say what they said: %s', async (name) => {
    const model = await readModel(golden(name));
    const texts = [{ text: 'the cat', pair: 'a dog' }, 'a cat runs'];
    const said = await predictLogits({ model, texts, maxLength: 16, threads: 1, batching: 'single' });
    expect(largestDifference([...said], expected[name] ?? [])).toBeLessThan(ROUNDING);
  });

  it('are what an import makes of the same checkpoint today, hidden states and all', async () => {
    const [old, again] = [await readModel(golden('tags')), await importGolden('mobilebert-tokens')];
    expect(old.info).toEqual(again.info);
    expect(hiddenStatesOf(old)).toEqual(['last_hidden_state']);
    const { hiddenStates, ...bert } = (await readModel(golden('classes'))).info;
    expect(bert).toEqual((await importGolden('bert')).info);
    expect(hiddenStates).toEqual(hiddenStatesOf(await importGolden('bert')));
  });

  it('are written as today', async () => {
    await writeModel(folder, await readModel(golden('vectors')));
    const { schema, signature, processor } = JSON.parse(await readFile(file('model.json'), 'utf8'));
    expect([schema, processor.sentence]).toEqual(['decant.model/2', { pooling: 'mean', normalize: true }]);
    expect(signature.inputs.map(({ role }: Port) => role)).toEqual(['tokens', 'mask', 'segments']);
  });
});
