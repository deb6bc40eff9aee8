import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { TokenizerJson } from '../../../data/tokenizer.ts';
import { checkVocabulary } from '../../../data/tokenizers/format.ts';
import { vocabularyIn } from '../../../data/tokenizers/parts.ts';
import { reworded } from '../../../ground/errors.ts';
import { importError } from '../importer.ts';
import { issueText, type JsonObject, readJsonObject } from '../json-file.ts';
import { addTokens, type Base, type RoleTokens, rolesOf } from './added-tokens.ts';
import { type Built, empty, numbered, type Source, tokenizerFile, withClass } from './class-tokenizer.ts';
import type { TokenizerClass } from './classes/class.ts';
import { untyped } from './frames.ts';
import type { Strangers } from './keys.ts';
import { settingFiles } from './token-roles.ts';
import { readTokenSettings, type TokenSettings, tokensOf } from './token-settings.ts';
import { classOf } from './tokenizer-classes.ts';
import { readVocabularyFiles } from './vocabulary.ts';

/** What of a folder decides about its tokenizer besides its own files. */
export interface TokenizerFacts {
  readonly modelType: string;
  /** tokenizer_class of config.json. */
  readonly tokenizerClass?: unknown;
  /** Rows of the token embeddings. */
  readonly vocabulary: number;
  /** Why keys that are not known are refused in this folder, if they are. */
  readonly strangers?: Strangers;
}

/** A folder's tokenizer as transformers makes it. */
export interface MadeTokenizer {
  /** The file that its vocabulary stands in. */
  readonly file: string;
  readonly json: TokenizerJson;
  readonly roles: RoleTokens;
  readonly settings: TokenSettings;
}

/** tokenizer.json as it is, with the tokens of the files beside it. */
const asItIs = ({ json = {}, model }: Source, settings: TokenSettings, rows: number): Built => {
  const base: Base = { file: tokenizerFile, vocabulary: vocabularyIn(model), added: tokensOf(json, tokenizerFile) };
  const roles = rolesOf({}, settings.roles);
  const added = addTokens(base, settings, roles, rows);
  return { roles, json: { ...json, ...empty, added_tokens: numbered(added) } };
};

/** What of tokenizer.json says which id a token has: a vocabulary by token or, for unigrams, a list, which is looked at apart. */
const tokenizerSchema = z.object({
  model: z.object({
    unk_token: z.string().nullish(),
    unk_id: z.int().nonnegative().nullish(),
    dropout: z.literal(0, 'it drops merges at random: expected null').nullish(),
    vocab: z.custom<object>((vocab) => typeof vocab === 'object' && vocab !== null, 'expected ids by token, or pieces'),
  }),
});

/** Cuts and padding that tokenizer.json asks for are asked for anew with every text, but for their side. */
const checkSides = (json: JsonObject, settings: JsonObject): void => {
  const { direction } = Object(json.truncation);
  if (direction !== 'Left' || settings.truncation_side != null) return;
  throw importError(
    `${tokenizerFile}: truncation.direction is "Left"; decant cuts the end of long texts, as clients do: expected "Right", ` +
      `or "truncation_side": "right" in ${settingFiles.config}`,
  );
};

const readJson = (folder: string): JsonObject | undefined => {
  const path = join(folder, tokenizerFile);
  if (!existsSync(path)) return undefined;
  const json = readJsonObject(path);
  const parsed = tokenizerSchema.safeParse(json);
  if (!parsed.success) throw importError(`${tokenizerFile}: ${issueText(parsed.error.issues)}`);
  try {
    checkVocabulary(json.model);
  } catch (cause) {
    throw reworded(cause, (reason) => importError(reason, { cause }));
  }
  return json;
};

/** The types of a pair are fed only where the tokenizer gives them: its class, or the inputs that the folder lists. */
const typesAreFed = (made: TokenizerClass | undefined, { model_input_names: names }: JsonObject): boolean =>
  Array.isArray(names) ? names.includes('token_type_ids') : made?.oneType !== true;

/** The tokenizer of a folder as transformers 5 makes it of all its files. */
export const makeTokenizer = (folder: string, facts: TokenizerFacts): MadeTokenizer => {
  const json = readJson(folder);
  const settings = readTokenSettings(folder, json, facts.strangers);
  const choice = classOf(facts.modelType, settings.settings.tokenizer_class, facts.tokenizerClass);
  if (json !== undefined) checkSides(json, settings.settings);
  const source: Source =
    json === undefined
      ? { json, ...readVocabularyFiles(folder, choice) }
      : { file: tokenizerFile, json, model: Object(json.model) };
  const { made } = choice;
  const { roles, json: built } =
    made === undefined
      ? asItIs(source, settings, facts.vocabulary)
      : withClass(source, choice, made, settings, facts.vocabulary);
  const { post_processor } = built;
  const typed = typesAreFed(made, settings.settings) ? built : { ...built, post_processor: untyped(post_processor) };
  return { file: source.file, json: typed, roles, settings };
};
