import type { TokenizerJson } from '../../../data/tokenizer.ts';
import { vocabularyIn } from '../../../data/tokenizers/parts.ts';
import type { UserError } from '../../../ground/errors.ts';
import { importError } from '../importer.ts';
import type { JsonObject } from '../json-file.ts';
import { contentOf } from './added-token.ts';
import { addTokens, type Base, givenTokens, type Placed, type RoleTokens, rolesOf } from './added-tokens.ts';
import type { Given, ModelKind, TokenId, TokenizerClass } from './classes/class.ts';
import { type Frame, frameOf } from './frames.ts';
import { shown } from './keys.ts';
import { type Role, settingFiles } from './token-roles.ts';
import type { TokenSettings } from './token-settings.ts';
import { type ChosenClass, wayOut } from './tokenizer-classes.ts';

export const tokenizerFile = 'tokenizer.json';

const kindOf = (model: JsonObject): ModelKind | string => {
  if (typeof model.type === 'string') return model.type;
  if (Array.isArray(model.vocab)) return 'Unigram';
  return 'merges' in model ? 'BPE' : 'WordPiece';
};

const contradicts = (because: string, what: string): UserError =>
  importError(
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
  throw importError(`${settingFiles.config} gives no token the role ${role}; name the token that has it there`);
};

/** A token that stands around texts, with its id. One that only the class knows has no vector of its own. */
const framingToken = (base: Base, settings: TokenSettings, added: readonly Placed[], token: RoleToken): TokenId => {
  const { role, content } = token;
  const id = added.find((one) => one.content === content)?.id;
  if (id !== undefined && (base.vocabulary.has(content) || givenTokens(settings).has(content))) return [content, id];
  throw importError(
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

export const numbered = (tokens: readonly Placed[]) =>
  tokens.map(({ id, content, single_word, lstrip, rstrip, normalized, special }) => ({
    ...{ id, content, single_word, lstrip, rstrip, normalized, special },
  }));

/** Cuts and padding are asked for with every text. */
export const empty = { version: '1.0', truncation: null, padding: null };

interface RoleToken {
  readonly role: Role;
  readonly content: string;
}

export interface Built {
  readonly roles: RoleTokens;
  readonly json: TokenizerJson;
}

export interface Source {
  readonly file: string;
  /** tokenizer.json, where there is one. */
  readonly json: JsonObject | undefined;
  readonly model: JsonObject;
}

/** A tokenizer as its class makes it, of tokenizer.json or of vocabulary files. */
export const withClass = (
  source: Source,
  choice: ChosenClass,
  made: TokenizerClass,
  settings: TokenSettings,
  rows: number,
): Built => {
  const { file, json, model } = source;
  if (json !== undefined) checkForms(json, made, choice);
  const roles = rolesOf(made.roles, settings.roles);
  const base: Base = { file, vocabulary: vocabularyIn(model), added: [] };
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
