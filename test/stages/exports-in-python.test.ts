import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tokenizerOf } from '../../data/tokenize.ts';
import { deployFiles } from '../../models/files.ts';
import { importModel } from '../../models/importers/index.ts';
import { exportModels } from '../../stages/export/folder.ts';
import { goldenFolder, goldenNames } from '../models/golden-checkpoints.ts';

interface ReadBack {
  readonly sha256: string;
  readonly ids: readonly (readonly number[])[];
  readonly types: readonly (readonly number[] | null)[];
}

/** What transformers made of every golden checkpoint's export; exports.py beside them read it. */
const python: {
  readonly read: readonly string[];
  readonly texts: readonly string[];
  readonly pairs: readonly (readonly [string, string])[];
  readonly folders: Readonly<Record<string, ReadBack>>;
} = JSON.parse(readFileSync(join(goldenFolder('.'), 'exports.json'), 'utf8'));

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'decant-exports-'));
});
afterAll(() => rmSync(root, { recursive: true }));

const digestOf = (folder: string): string => {
  const hash = createHash('sha256');
  for (const file of python.read) if (existsSync(join(folder, file))) hash.update(readFileSync(join(folder, file)));
  return hash.digest('hex');
};

it('every golden checkpoint was read back', () => {
  expect(Object.keys(python.folders).sort()).toEqual([...goldenNames]);
});

describe.each(goldenNames)('the export of %s', (name) => {
  const expected = python.folders[name];
  const folder = (): string => join(root, name);

  // Where this fails the files have changed: run exports.py again, which reads them in Python.
  it('has the files that Python has read', async () => {
    const model = await importModel(goldenFolder(name), '/', { head: 'keep' });
    await exportModels(folder(), new Map([['fp32', model]]), { threads: 1, results: '' });
    expect(digestOf(folder())).toBe(expected?.sha256);
  });

  it('cuts texts and pairs into the tokens that Python cuts them into', async () => {
    const encoder = tokenizerOf(JSON.parse(readFileSync(join(folder(), deployFiles.tokenizer), 'utf8')));
    const { model_max_length: length } = JSON.parse(readFileSync(join(folder(), deployFiles.tokenizerConfig), 'utf8'));
    const texts = [...python.texts, ...python.pairs.map(([text, pair]) => ({ text, pair }))];
    const rows = await encoder.encodeBatch(texts, length);
    expect(rows.map(({ ids }) => [...ids])).toEqual(expected?.ids);
    const pairs = rows.slice(python.texts.length);
    for (const [i, types] of (expected?.types ?? []).entries()) {
      const mine = pairs[i];
      if (types !== null) expect([...(mine?.types ?? new Uint8Array(mine?.ids.length ?? 0))]).toEqual(types);
    }
  });
});
