import { importError } from '../../importer.ts';
import type { JsonObject } from '../../json-file.ts';
import type { GivenToken } from '../added-token.ts';
import type { Role } from '../token-roles.ts';

export type ModelKind = 'WordPiece' | 'BPE' | 'Unigram';

/** A token with its id. */
export type TokenId = readonly [content: string, id: number];

/** What a class is given to make a tokenizer of. */
export interface Given {
  readonly settings: JsonObject;
  /** tokenizer.json, where the folder has one. */
  readonly json: JsonObject | undefined;
  /** `model` of tokenizer.json, or what vocabulary files hold: its vocabulary, and merges where its kind has them. */
  readonly model: JsonObject;
  /** Text of the token in a role. */
  content(role: Role): string;
}

/** Parts of tokenizer.json. */
interface Parts {
  readonly normalizer: JsonObject | null;
  readonly pre_tokenizer: JsonObject;
  readonly decoder: JsonObject;
  readonly model: JsonObject;
}

/** A tokenizer class of transformers 5 that makes parts of the tokenizer itself, of settings. */
export interface TokenizerClass {
  /** What transformers calls it, without 'Fast'. */
  readonly names: RegExp;
  readonly kind: ModelKind;
  /** Tokens by role where no file names them. */
  readonly roles: Readonly<Partial<Record<Role, GivenToken>>>;
  /** Further special tokens where no file names any. */
  readonly extra?: readonly string[];
  /** Whether the two texts of a pair have one type, whatever the post-processor says. */
  readonly oneType?: boolean;
  /** Settings that it reads. */
  readonly settings: readonly string[];
  /** What of tokenizer.json has a form that it makes or made once; anything else it would drop in silence. */
  readonly forms: {
    readonly normalizer: (part: unknown) => boolean;
    readonly pre_tokenizer: (part: unknown) => boolean;
    readonly model: Readonly<Record<string, readonly unknown[]>>;
  };
  parts(given: Given): Parts;
  /** The settings that make these parts of a tokenizer: what an export writes beside them. */
  settingsOf(parts: JsonObject): JsonObject;
  /** Whether the post-processor of tokenizer.json stays. */
  readonly keepsFrame?: boolean;
  /** Roles of the tokens that stand before and behind a text. */
  readonly framing: readonly [first: Role, last: Role];
  frame(first: TokenId, last: TokenId, given: Given): JsonObject;
}

/** A setting that is true or false, or left out. */
export const flag = (settings: JsonObject, name: string, usual: boolean): boolean => {
  const value = name in settings ? settings[name] : usual;
  if (typeof value === 'boolean') return value;
  throw importError(`tokenizer_config.json: ${name} is ${JSON.stringify(value)}; expected true or false`);
};

/** The steps of a part that may be a sequence. */
export const stepsOf = (part: unknown, list: 'normalizers' | 'pretokenizers'): readonly JsonObject[] => {
  if (part == null) return [];
  const json: JsonObject = Object(part);
  const steps = json[list];
  return json.type === 'Sequence' && Array.isArray(steps) ? steps.flatMap((step) => stepsOf(step, list)) : [json];
};

export const typesOf = (part: unknown, list: 'normalizers' | 'pretokenizers'): readonly string[] =>
  stepsOf(part, list).map(({ type }) => String(type));

/** A template that frames texts; `between` stands behind the first text of a pair, and the second text has a type. */
export const templateOf = (
  [first, last]: readonly [TokenId, TokenId],
  between: 1 | 2,
  secondType: 0 | 1,
): JsonObject => {
  const token = ([id]: TokenId, type_id: number) => ({ SpecialToken: { id, type_id } });
  const text = (id: 'A' | 'B', type_id: number) => ({ Sequence: { id, type_id } });
  const entry = ([id, number]: TokenId) => [id, { id, ids: [number], tokens: [id] }] as const;
  const single = [token(first, 0), text('A', 0), token(last, 0)];
  const middle = between === 2 ? [token(last, 0)] : [];
  return {
    type: 'TemplateProcessing',
    single,
    pair: [...single, ...middle, text('B', secondType), token(last, secondType)],
    special_tokens: Object.fromEntries([entry(first), entry(last)]),
  };
};
