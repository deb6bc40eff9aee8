import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importModel } from '../../models/importers/index.ts';
import type { Model } from '../../models/model.ts';
import { numberTextsOf } from '../../models/number-texts.ts';
import { exportModels } from '../../stages/export/folder.ts';
import { goldenFolder } from '../models/golden-checkpoints.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'decant-tokenizers-'));
});
afterAll(() => rmSync(root, { recursive: true }));

const edit = (path: string, changes: object): void =>
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...changes }));

/** A golden BERT with the tokenizer of another golden checkpoint. */
const bertWith = async (tokenizer: string, changes: object = {}): Promise<Model> => {
  const folder = mkdtempSync(join(root, 'model-'));
  cpSync(goldenFolder('bert'), folder, { recursive: true });
  for (const file of ['tokenizer.json', 'tokenizer_config.json'])
    cpSync(join(goldenFolder(tokenizer), file), join(folder, file));
  edit(join(folder, 'tokenizer_config.json'), changes);
  return importModel(folder, '/', { head: 'keep' });
};

const exported = async (model: Model): Promise<(file: string) => string> => {
  const folder = mkdtempSync(join(root, 'export-'));
  await exportModels(folder, new Map([['fp32', model]]), { threads: 1, results: '' });
  return (file) => readFileSync(join(folder, file), 'utf8');
};

const classOf = (read: (file: string) => string): unknown => JSON.parse(read('tokenizer_config.json')).tokenizer_class;

describe('the tokenizer class of an export', () => {
  it("is the checkpoint's own where Python makes the same tokenizer with it", async () => {
    expect(classOf(await exported(await bertWith('bert')))).toBe('BertTokenizer');
  });

  it("is never BERT's for a BERT with a tokenizer of SentencePiece", async () => {
    const read = await exported(await bertWith('xlm-roberta'));
    expect(classOf(read)).toBe('XLMRobertaTokenizer');
    expect(read('README.md')).not.toContain('return_token_type_ids');
  });

  it('takes tokenizer.json as it is where no class makes it, and the card tells how pairs get their types', async () => {
    const generic = { tokenizer_class: 'PreTrainedTokenizerFast', model_input_names: ['input_ids', 'token_type_ids'] };
    const model = await bertWith('albert', generic);
    const lower = { ...model, tokenizer: { ...model.tokenizer, normalizer: { type: 'Lowercase' } } };
    const read = await exported(lower);
    expect(classOf(read)).toBe('PreTrainedTokenizerFast');
    expect(read('README.md')).toContain('return_token_type_ids: true');
  });

  it('says settings as the tokenizer has them, whatever the checkpoint said', async () => {
    const model = await bertWith('bert', { do_lower_case: false });
    const read = await exported(model);
    expect(JSON.parse(read('tokenizer_config.json'))).toMatchObject({
      do_lower_case: false,
      tokenizer_class: 'BertTokenizer',
    });
    expect(JSON.parse(read('config.json'))).not.toHaveProperty('tokenizer_class');
  });
});

describe('numbers of a copied configuration', () => {
  it('stay as they were written, at any depth and size', async () => {
    const folder = mkdtempSync(join(root, 'numbers-'));
    cpSync(goldenFolder('modernbert-features'), folder, { recursive: true });
    const path = join(folder, 'config.json');
    const text = readFileSync(path, 'utf8');
    const numbers = '"own": {"list": [1.0, 2, 1e-05], "large": 12345678901234567890, "e": 1E5, "a/b~c": 3.0},';
    writeFileSync(path, text.replace('{', `{ ${numbers}`));
    const read = await exported(await importModel(folder, '/', { head: 'keep' }));
    const written = numberTextsOf(read('config.json'));
    for (const [at, number] of Object.entries(numberTextsOf(readFileSync(path, 'utf8')))) {
      expect([at, written[at]]).toEqual([at, number]);
    }
    expect(written).toMatchObject({
      '/initializer_cutoff_factor': '2.0',
      '/own/list/0': '1.0',
      '/own/large': '12345678901234567890',
      '/own/a~1b~0c': '3.0',
    });
  });

  it('give way where the model has another value', async () => {
    const model = await bertWith('bert');
    const info = { ...model.info, checkpointNumbers: { '/vocab_size': '30522.0', '/layer_norm_eps': '1.0e-12' } };
    const read = await exported({ ...model, info });
    expect(read('config.json')).toContain(`"vocab_size": ${model.info.dimensions.vocabulary},`);
    expect(read('config.json')).toContain('"layer_norm_eps": 1.0e-12');
  });
});
