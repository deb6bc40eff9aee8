import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type JsonObject, readJson, readJsonObject } from '../json-file.ts';
import {
  type AddedToken,
  addedToken,
  contentOf,
  type GivenToken,
  numberedRecord,
  parsedAt,
  specialTokenSchema,
  tokenRecord,
  tokenSchema,
} from './added-token.ts';
import type { Strangers } from './keys.ts';
import { isRole, roles, settingFiles } from './token-roles.ts';
import { checkTokenizerKeys, checkTokenMapKeys, isToken } from './tokenizer-keys.ts';

/** What the files beside a tokenizer say, joined as transformers joins them. */
export interface TokenSettings {
  readonly settings: JsonObject;
  /** null where a file takes the role away from a token. */
  readonly roles: ReadonlyMap<string, GivenToken | null>;
  readonly extra: readonly GivenToken[];
  /** Tokens with roles that only this model has. */
  readonly named: ReadonlyMap<string, GivenToken>;
  /** Tokens with the ids that files give them, and the file. */
  readonly decoder: ReadonlyMap<number, { readonly token: AddedToken; readonly file: string }>;
}

const readOptional = (folder: string, file: string): JsonObject =>
  existsSync(join(folder, file)) ? readJsonObject(join(folder, file)) : {};

const tokenTable = z.record(z.string(), tokenSchema);
const decoderSchema = z.record(z.string().regex(/^\d+$/), tokenRecord);

/** Tokens that a file names beside the roles. */
const namedIn = (file: string, json: JsonObject): readonly (readonly [string, GivenToken])[] =>
  Object.entries(json)
    .filter(([key, value]) => !isRole(key) && isToken(key, value))
    .map(([key, value]) => [key, parsedAt(file, key, tokenSchema, value)]);

type Decoder = Map<number, { readonly token: AddedToken; readonly file: string }>;

const listed = (decoder: unknown, file: string): Decoder => {
  const tokens = parsedAt(file, 'added_tokens_decoder', decoderSchema, decoder);
  return new Map(Object.entries(tokens).map(([id, token]) => [Number(id), { token, file }]));
};

/** Older folders give ids alone: a token is special where it has a role. */
const legacyAdded = (folder: string, special: ReadonlySet<string>): Decoder => {
  const { added: file } = settingFiles;
  if (!existsSync(join(folder, file))) return new Map();
  const ids = readJson(join(folder, file), z.record(z.string(), z.int().nonnegative()));
  return new Map(
    Object.entries(ids).map(([content, id]) => [
      id,
      { token: addedToken(content, { special: special.has(content) }), file },
    ]),
  );
};

const jsonTokens = z.array(numberedRecord).nullish();

/** The added tokens of tokenizer.json. */
export const tokensOf = (json: JsonObject, file: string): readonly (AddedToken & { readonly id: number })[] =>
  parsedAt(file, 'added_tokens', jsonTokens, json.added_tokens) ?? [];

const addedOf = (json: JsonObject, file: string): Decoder =>
  new Map(tokensOf(json, file).map(({ id, ...token }) => [id, { token: addedToken(token.content, token), file }]));

interface Extra {
  readonly extra: readonly GivenToken[];
  readonly named: ReadonlyMap<string, GivenToken>;
}

/** A list of tokens, or a table of tokens by role. */
const extraOf = (file: string, key: string, value: unknown): Extra => {
  if (value == null) return { extra: [], named: new Map() };
  const schema = file === settingFiles.special ? specialTokenSchema : tokenSchema;
  if (Array.isArray(value)) return { extra: parsedAt(file, key, z.array(schema), value), named: new Map() };
  return { extra: [], named: new Map(Object.entries(parsedAt(file, key, tokenTable, value))) };
};

const isEmpty = (value: unknown): boolean => value == null || Object.keys(Object(value)).length === 0;

/** What tokenizer_config.json says of further tokens: the newer key counts, where it says anything. */
const configExtra = (config: JsonObject): Extra => {
  const { config: file } = settingFiles;
  const [older, newer] = ['additional_special_tokens', 'extra_special_tokens'];
  const key = older in config && isEmpty(config[newer]) ? older : newer;
  const { extra, named } = extraOf(file, key, config[key]);
  return { extra, named: new Map([...namedIn(file, config), ...named]) };
};

/** special_tokens_map.json adds to lists of the newer key, and speaks for the older one where nothing else does. */
const joinedExtra = (config: JsonObject, map: JsonObject): Extra => {
  const { special: file } = settingFiles;
  const mine = configExtra(config);
  const theirs = extraOf(file, 'extra_special_tokens', map.extra_special_tokens);
  const older = extraOf(file, 'additional_special_tokens', map.additional_special_tokens).extra;
  const given = [...mine.extra, ...theirs.extra];
  const extra = given.length > 0 || 'extra_special_tokens' in map ? given : older;
  return { extra, named: new Map([...mine.named, ...namedIn(file, map), ...theirs.named]) };
};

const rolesOf = (config: JsonObject, map: JsonObject): ReadonlyMap<string, GivenToken | null> =>
  new Map(
    roles.flatMap((role) => {
      const [file, json, schema] =
        role in map
          ? ([settingFiles.special, map, specialTokenSchema] as const)
          : ([settingFiles.config, config, tokenSchema] as const);
      return role in json ? [[role, parsedAt(file, role, schema.nullable(), json[role])] as const] : [];
    }),
  );

/** A role's token has the flags that the lists of added tokens give it. */
const withFlags = (
  given: ReadonlyMap<string, GivenToken | null>,
  decoder: Decoder,
): ReadonlyMap<string, GivenToken | null> => {
  const flags = new Map([...decoder.values()].map(({ token }) => [token.content, token]));
  return new Map(
    [...given].map(([role, token]) => [role, token === null ? null : (flags.get(contentOf(token)) ?? token)]),
  );
};

/**
 * Everything that stands beside the tokenizer of a folder, as transformers joins it: where tokenizer_config.json lists the
 * added tokens, it alone counts; else special_tokens_map.json wins over it, and added_tokens.json and tokenizer.json add theirs.
 */
export const readTokenSettings = (
  folder: string,
  json: JsonObject | undefined,
  strangers: Strangers,
): TokenSettings => {
  const settings = readOptional(folder, settingFiles.config);
  checkTokenizerKeys(settings, strangers);
  if ('added_tokens_decoder' in settings) {
    const decoder = listed(settings.added_tokens_decoder, settingFiles.config);
    return { settings, ...configExtra(settings), roles: withFlags(rolesOf(settings, {}), decoder), decoder };
  }
  const map = readOptional(folder, settingFiles.special);
  checkTokenMapKeys(map);
  const given = rolesOf(settings, map);
  const { extra, named } = joinedExtra(settings, map);
  const contents = [...given.values(), ...extra].flatMap((token) => (token === null ? [] : contentOf(token)));
  const decoder = new Map([...legacyAdded(folder, new Set(contents)), ...addedOf(json ?? {}, 'tokenizer.json')]);
  return { settings, extra, named, roles: withFlags(given, decoder), decoder };
};
