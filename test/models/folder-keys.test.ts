import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findArchitecture } from '../../models/architectures/index.ts';
import { configKeys } from '../../models/importers/folder/config-keys.ts';
import { checkKeys, isNewer, type KeyTable, newerStrangers } from '../../models/importers/folder/keys.ts';
import { promptKeys } from '../../models/importers/folder/sentence.ts';
import { normalizeKeys, poolingKeys } from '../../models/importers/folder/sentence-modules.ts';
import { settingsFiles, settingsKeys } from '../../models/importers/folder/sentence-settings.ts';
import { tokenizerKeys } from '../../models/importers/folder/tokenizer-keys.ts';
import { goldenFolder, goldenNames, modelTypeOf } from './golden-checkpoints.ts';

const strangersIn = (folder: string, file: string, table: KeyTable): readonly string[] => {
  const path = join(folder, file);
  if (!existsSync(path)) return [];
  return Object.keys(JSON.parse(readFileSync(path, 'utf8'))).filter((key) => !Object.hasOwn(table, key));
};

describe('the keys of a folder', () => {
  it.each(goldenNames)('are all known in the golden checkpoint %s', (name) => {
    const folder = goldenFolder(name);
    const tables: readonly (readonly [string, KeyTable])[] = [
      ['config.json', configKeys(findArchitecture(modelTypeOf(name))?.keys ?? [])],
      ['tokenizer_config.json', tokenizerKeys],
      ['1_Pooling/config.json', poolingKeys],
      ['2_Normalize/config.json', normalizeKeys],
      ['config_sentence_transformers.json', promptKeys],
      ...settingsFiles.map((file) => [file, settingsKeys] as const),
    ];
    expect(tables.flatMap(([file, table]) => strangersIn(folder, file, table).map((key) => `${file}: ${key}`))).toEqual(
      [],
    );
  });

  it('tell what they are for where they do nothing or are refused', () => {
    for (const table of [configKeys([]), tokenizerKeys, poolingKeys, normalizeKeys, promptKeys, settingsKeys]) {
      for (const [key, fate] of Object.entries(table)) {
        if (fate.kind !== 'carried out') expect([key, fate.why.length > 10]).toEqual([key, true]);
      }
    }
  });

  it('that nobody knows are refused in folders of newer releases, with a near name', () => {
    expect(isNewer('transformers', '5.25.0')).toBe(true);
    expect(isNewer('transformers', '6.0.0.dev0')).toBe(true);
    for (const older of ['5.24.1', '4.57.0', undefined, 'main']) expect(isNewer('transformers', older)).toBe(false);
    const strangers = newerStrangers('transformers', '6.0.0');
    const check = (json: Record<string, unknown>, why: string | undefined) => () =>
      checkKeys('x.json', json, tokenizerKeys, why);
    expect(check({ do_lower_casse: true }, strangers)).toThrow(
      /^x\.json: nothing is known of the key 'do_lower_casse'; did you mean 'do_lower_case'\?: the folder was written by transformers 6\.0\.0/,
    );
    expect(check({ do_lower_casse: true }, undefined)).not.toThrow();
    expect(check({ split_special_tokens: true }, undefined)).toThrow(/split_special_tokens is true; .*expected false/);
  });
});
