import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type JsonObject, readJsonObject } from '../json-file.ts';
import { settingFiles } from './token-roles.ts';

/** Tables of tokens, which tokenizer.json holds, and programs, which nobody here runs. */
const left: ReadonlySet<string> = new Set(['added_tokens_decoder', 'auto_map', 'chat_template']);

/** What a folder's tokenizer_config.json and special_tokens_map.json tell clients: classes, special tokens, settings. */
export const tokenizerSettings = (folder: string): JsonObject => {
  const found = [settingFiles.special, settingFiles.config].map((file) => join(folder, file)).filter(existsSync);
  const settings = found.flatMap((path) => Object.entries(readJsonObject(path)));
  return Object.fromEntries(settings.filter(([key]) => !left.has(key)));
};
