import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type JsonObject, readJsonObject } from '../json-file.ts';
import { settingFiles } from './token-roles.ts';

/** Tables of tokens, which tokenizer.json holds, and programs, which nobody here runs. */
const left: ReadonlySet<string> = new Set(['added_tokens_decoder', 'auto_map', 'chat_template']);

const readOptional = (folder: string, file: string): JsonObject =>
  existsSync(join(folder, file)) ? readJsonObject(join(folder, file)) : {};

/**
 * What a folder's tokenizer_config.json and special_tokens_map.json tell clients: classes, special tokens, settings. The second
 * wins, where the first lists no added tokens; else nobody reads it.
 */
export const tokenizerSettings = (folder: string): JsonObject => {
  const config = readOptional(folder, settingFiles.config);
  const special = 'added_tokens_decoder' in config ? {} : readOptional(folder, settingFiles.special);
  return Object.fromEntries(Object.entries({ ...config, ...special }).filter(([key]) => !left.has(key)));
};
