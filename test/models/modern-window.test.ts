import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isUserError } from '../../ground/errors.ts';
import { importModel } from '../../models/importers/index.ts';
import { configJson } from '../../stages/export/config.ts';
import { goldenFolder } from './golden-checkpoints.ts';
import { batchOf, outputsOf } from './support.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'decant-window-'));
});
afterAll(() => rmSync(root, { recursive: true }));

type Window = Readonly<Record<string, unknown>>;

const folderWith = (window: Window): string => {
  const folder = mkdtempSync(join(root, 'model-'));
  cpSync(goldenFolder('modernbert-features'), folder, { recursive: true });
  const path = join(folder, 'config.json');
  const { local_attention: _, ...config } = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...config, ...window }));
  return folder;
};

const imported = (window: Window) => importModel(folderWith(window), '/', { head: 'keep' });

/** A text so long that its ends do not see each other. */
const long = Array.from({ length: 24 }, (_, i) => 5 + i);

const featuresWith = async (window: Window): Promise<readonly number[]> => {
  const { graph } = await imported(window);
  const [features = []] = await outputsOf(graph, [batchOf([long])]);
  return features;
};

/**
 * transformers 5 keeps local_attention alone: sliding_window, which is half of it, is written into it where a file has both
 * (ModernBertConfig.from_dict of these very settings says 8 // 2, 4, 4 and 9 // 2).
 */
describe('how far the local layers of ModernBERT look', () => {
  it.each<[Window]>([
    [{ local_attention: 9 }],
    [{ sliding_window: 4 }],
    [{ local_attention: 128, sliding_window: 4 }],
    [{ sliding_window: 4, local_attention: 2 }],
  ])('is the same by %j as by local_attention: 8', async (window) => {
    expect(await featuresWith(window)).toEqual(await featuresWith({ local_attention: 8 }));
  });

  it.each<[Window]>([[{ local_attention: 6 }], [{ sliding_window: 3, local_attention: 8 }], [{}]])(
    'is another by %j',
    async (window) => {
      expect(await featuresWith(window)).not.toEqual(await featuresWith({ local_attention: 8 }));
    },
  );

  it.each<[Window, Window]>([
    [{ local_attention: 9 }, { local_attention: 9 }],
    [
      { local_attention: 128, sliding_window: 4 },
      { local_attention: 128, sliding_window: 4 },
    ],
    [{}, {}],
  ])('is exported in the words that it was imported in: %j', async (window, expected) => {
    const { info, tokenizer } = await imported(window);
    const { local_attention, sliding_window } = configJson(info, tokenizer, ['fp32']);
    expect(JSON.parse(JSON.stringify({ local_attention, sliding_window }))).toEqual(expected);
  });

  it.each([
    [{ sliding_window: null }, /^config\.json: sliding_window: /],
    [{ sliding_window: 0 }, /^config\.json: sliding_window: /],
    [{ sliding_window: 2.5 }, /^config\.json: sliding_window: /],
    [{ local_attention: '8' }, /^config\.json: local_attention: /],
  ])('is refused where it is %j', async (window, message) => {
    const failure = await imported(window).catch((error: unknown) => error);
    expect([isUserError(failure, 'import'), String(Object(failure).message)]).toEqual([
      true,
      expect.stringMatching(message),
    ]);
  });
});
