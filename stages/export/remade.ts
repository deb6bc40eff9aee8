import { isDeepStrictEqual } from 'node:util';
import type { TokenizerJson } from '../../data/tokenizer.ts';
import { isUserError } from '../../ground/errors.ts';
import { tokenizerFile, withClass } from '../../models/importers/folder/class-tokenizer.ts';
import { frameOf } from '../../models/importers/folder/frames.ts';
import { tokensOf } from '../../models/importers/folder/token-settings.ts';
import { makingClass } from '../../models/importers/folder/tokenizer-classes.ts';
import type { JsonObject } from '../../models/importers/json-file.ts';

/** What a class of transformers makes of a tokenizer.json, with settings that were read off it; undefined where it cannot. */
const remade = (name: string, json: TokenizerJson, roles: Readonly<Record<string, string>>) => {
  const made = makingClass(name);
  if (made === undefined) return undefined;
  const settings = made.settingsOf(json);
  const added = tokensOf(json, tokenizerFile);
  const flags = new Map(added.map(({ id: _, ...token }) => [token.content, token]));
  const given = new Map(Object.entries(roles).map(([role, content]) => [role, flags.get(content) ?? content]));
  const decoder = new Map(added.map(({ id, ...token }) => [id, { token, file: tokenizerFile }]));
  const beside = { settings, roles: given, extra: [], named: new Map(), decoder };
  const source = { file: tokenizerFile, json, model: Object(json.model) };
  const choice = { made, name, because: `the export names a ${name}` };
  try {
    return { settings, json: withClass(source, choice, made, beside, Number.POSITIVE_INFINITY).json };
  } catch (error) {
    if (isUserError(error, 'import')) return undefined;
    throw error;
  }
};

const parts = ['normalizer', 'pre_tokenizer', 'added_tokens'] as const;

/**
 * Settings with which a class of transformers makes exactly this tokenizer, of this tokenizer.json; undefined where it would
 * make another. `typed` says whether the types of tokens count.
 */
export const settingsFor = (
  name: string,
  json: TokenizerJson,
  roles: Readonly<Record<string, string>>,
  typed: boolean,
): JsonObject | undefined => {
  const own = remade(name, json, roles);
  if (own === undefined) return undefined;
  const frames = typed
    ? [json.post_processor, own.json.post_processor]
    : [frameOf(json.post_processor), frameOf(own.json.post_processor)];
  const same =
    parts.every((part) => isDeepStrictEqual(json[part] ?? null, own.json[part] ?? null)) &&
    isDeepStrictEqual(frames[0], frames[1]) &&
    isDeepStrictEqual(Object(json.model).unk_id, Object(own.json.model).unk_id);
  return same ? own.settings : undefined;
};
