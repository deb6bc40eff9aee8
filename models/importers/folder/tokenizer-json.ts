import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { TokenizerJson } from '../../../data/tokenizer.ts';
import { ImportError } from '../importer.ts';
import { issueText, type JsonObject, readJsonObject } from '../json-file.ts';
import { contentOf } from './added-token.ts';
import { addTokens, type Base, isGiven, type Placed, type RoleTokens, rolesOf } from './added-tokens.ts';
import type { Given, ModelKind, TokenId, TokenizerClass } from './classes/class.ts';
import { type Frame, frameOf, untyped } from './frames.ts';
import { type Strangers, shown } from './keys.ts';
import { type Role, settingFiles } from './token-roles.ts';
import { readTokenSettings, type TokenSettings, tokensOf } from './token-settings.ts';
import { type ChosenClass, classOf, wayOut } from './tokenizer-classes.ts';
import { readVocabularyFiles } from './vocabulary.ts';

export const tokenizerFile = 'tokenizer.json';

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

const kindOf = (model: JsonObject): ModelKind | string => {
  if (typeof model.type === 'string') return model.type;
  if (Array.isArray(model.vocab)) return 'Unigram';
  return 'merges' in model ? 'BPE' : 'WordPiece';
};

/** Texts of a vocabulary with their ids. */
const vocabularyOf = ({ vocab }: JsonObject): ReadonlyMap<string, number> =>
  new Map(
    Array.isArray(vocab)
      ? vocab.map((entry, id) => [String(Array.isArray(entry) ? entry[0] : entry), id] as const)
      : Object.entries(Object(vocab)).map(([token, id]) => [token, Number(id)] as const),
  );

const contradicts = (because: string, what: string): ImportError =>
  new ImportError(
    `${tokenizerFile} has ${what}, but ${because}, which makes another: transformers 5 goes by the class, other clients by ` +
      `${tokenizerFile}. To settle it, ${wayOut}`,
  );

/** What tokenizer.json says beside the vocabulary must have a form that the class makes: anything else it would drop. */
const checkForms = (json: JsonObject, made: TokenizerClass, { because }: ChosenClass): void => {
  const model: JsonObject = Object(json.model);
  const kind = kindOf(model);
  if (kind !== made.kind) throw contradicts(because, `a model of the kind ${kind}`);
  for (const part of ['normalizer', 'pre_tokenizer'] as const) {
    if (!made.forms[part](json[part])) throw contradicts(because, `the ${part} ${shown(json[part])}`);
  }
  for (const [key, values] of Object.entries(made.forms.model)) {
    if (model[key] != null && !values.includes(model[key]))
      throw contradicts(because, `the model's ${key} ${shown(model[key])}`);
  }
};

const sameFrame = (a: Frame | undefined, b: Frame | undefined): boolean =>
  a !== undefined && b !== undefined && a.single.join() === b.single.join() && a.pair.join() === b.pair.join();

/** The text of a token that a tokenizer cannot do without. */
const namedToken = (roles: RoleTokens, role: Role): string => {
  const token = roles.get(role);
  if (token != null) return contentOf(token);
  throw new ImportError(`${settingFiles.config} gives no token the role ${role}; name the token that has it there`);
};

/** A token that stands around texts, with its id. One that only the class knows has no vector of its own. */
const framingToken = (base: Base, settings: TokenSettings, added: readonly Placed[], token: RoleToken): TokenId => {
  const { role, content } = token;
  const id = added.find((one) => one.content === content)?.id;
  if (id !== undefined && (base.vocabulary.has(content) || isGiven(settings, content))) return [content, id];
  throw new ImportError(
    `${base.file} has no '${content}' (${role}); name the token that has this role in ${settingFiles.config}`,
  );
};

/** How texts are framed: as the class does it, which must be what tokenizer.json says. */
const framed = (
  made: TokenizerClass,
  given: Given,
  around: readonly [TokenId, TokenId],
  because: string,
): JsonObject => {
  const own = made.frame(...around, given);
  if (given.json === undefined) return own;
  const { post_processor: written } = given.json;
  if (made.keepsFrame === true && written != null) return Object(written);
  if (!sameFrame(frameOf(written), frameOf(own)))
    throw contradicts(because, 'another frame around texts (post_processor)');
  return own;
};

const numbered = (tokens: readonly Placed[]) =>
  tokens.map(({ id, content, single_word, lstrip, rstrip, normalized, special }) => ({
    ...{ id, content, single_word, lstrip, rstrip, normalized, special },
  }));

const empty = { version: '1.0', truncation: null, padding: null };

interface RoleToken {
  readonly role: Role;
  readonly content: string;
}

interface Built {
  readonly roles: RoleTokens;
  readonly json: TokenizerJson;
}

interface Source {
  readonly file: string;
  /** tokenizer.json, where there is one. */
  readonly json: JsonObject | undefined;
  readonly model: JsonObject;
}

const withClass = (
  source: Source,
  choice: ChosenClass,
  made: TokenizerClass,
  settings: TokenSettings,
  rows: number,
): Built => {
  const { file, json, model } = source;
  if (json !== undefined) checkForms(json, made, choice);
  const roles = rolesOf(made.roles, settings.roles);
  const base: Base = { file, vocabulary: vocabularyOf(model), added: [] };
  const usual = settings.extra.length === 0 ? (made.extra ?? []).filter((token) => base.vocabulary.has(token)) : [];
  const added = addTokens(base, { ...settings, extra: [...settings.extra, ...usual] }, roles, rows);
  const given: Given = { settings: settings.settings, json, model, content: (role) => namedToken(roles, role) };
  const tokenOf = (role: Role): TokenId =>
    framingToken(base, settings, added, { role, content: namedToken(roles, role) });
  const [first, last] = made.framing;
  const around = [tokenOf(first), tokenOf(last)] as const;
  const { normalizer, pre_tokenizer, decoder, model: parts } = made.parts(given);
  const post_processor = framed(made, given, around, choice.because);
  return {
    roles,
    json: { ...empty, added_tokens: numbered(added), normalizer, pre_tokenizer, post_processor, decoder, model: parts },
  };
};

/** tokenizer.json as it is, with the tokens of the files beside it. */
const asItIs = ({ json = {}, model }: Source, settings: TokenSettings, rows: number): Built => {
  const base: Base = { file: tokenizerFile, vocabulary: vocabularyOf(model), added: tokensOf(json, tokenizerFile) };
  const roles = rolesOf({}, settings.roles);
  const added = addTokens(base, settings, roles, rows);
  return { roles, json: { ...json, ...empty, added_tokens: numbered(added) } };
};

const idSchema = z.int().nonnegative();

/** What of tokenizer.json says which id a token has: a vocabulary by token or, for unigrams, a list. */
const tokenizerSchema = z.object({
  model: z.object({
    unk_token: z.string().nullish(),
    unk_id: idSchema.nullish(),
    dropout: z.literal(0, 'it drops merges at random: expected null').nullish(),
    vocab: z.union([z.record(z.string(), idSchema), z.array(z.tuple([z.string(), z.number()]))]),
  }),
});

/** Cuts and padding that tokenizer.json asks for are asked for anew with every text, but for their side. */
const checkSides = (json: JsonObject, settings: JsonObject): void => {
  const { direction } = Object(json.truncation);
  if (direction !== 'Left' || settings.truncation_side != null) return;
  throw new ImportError(
    `${tokenizerFile}: truncation.direction is "Left"; decant cuts the end of long texts, as clients do: expected "Right", ` +
      `or "truncation_side": "right" in ${settingFiles.config}`,
  );
};

const readJson = (folder: string): JsonObject | undefined => {
  const path = join(folder, tokenizerFile);
  if (!existsSync(path)) return undefined;
  const json = readJsonObject(path);
  const parsed = tokenizerSchema.safeParse(json);
  if (!parsed.success) throw new ImportError(`${tokenizerFile}: ${issueText(parsed.error.issues)}`);
  return json;
};

/** The types of a pair are fed only where the tokenizer gives them: its class, or the inputs that the folder lists. */
const givesTypes = (made: TokenizerClass | undefined, { model_input_names: names }: JsonObject): boolean =>
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
  const typed = givesTypes(made, settings.settings) ? built : { ...built, post_processor: untyped(post_processor) };
  return { file: source.file, json: typed, roles, settings };
};
