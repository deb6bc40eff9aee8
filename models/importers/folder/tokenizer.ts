import { type TextEncoder, tokenizerOf } from '../../../data/tokenize.ts';
import type { TokenizerJson } from '../../../data/tokenizer.ts';
import { vocabularyIn } from '../../../data/tokenizers/parts.ts';
import { rulesOf } from '../../../data/tokenizers/rules.ts';
import { isUserError, reworded } from '../../../ground/errors.ts';
import type { TokenRule } from '../../model.ts';
import { importError } from '../importer.ts';
import type { JsonObject } from '../json-file.ts';
import { contentOf } from './added-token.ts';
import { tokenizerFile } from './class-tokenizer.ts';
import { lowercased } from './sentence.ts';
import type { SentenceSettings } from './sentence-settings.ts';
import { settingFiles } from './token-roles.ts';
import { type MadeTokenizer, makeTokenizer, type TokenizerFacts } from './tokenizer-json.ts';

/** Files that say how texts become tokens, besides those of vocabularies. */
export const tokenizerFiles: readonly string[] = [tokenizerFile, ...Object.values(settingFiles)];

export interface FolderTokenizer {
  readonly json: TokenizerJson;
  /** The tokenizer, loaded. */
  readonly encoder: TextEncoder;
  readonly tokens: TokenRule;
  /** Longest text that its makers want encoded; infinite where they do not say. */
  readonly maxLength: number;
}

/** Whether texts can be encoded with it shows when it is loaded. */
const loaded = (file: string, json: TokenizerJson): TextEncoder => {
  try {
    return tokenizerOf(json);
  } catch (cause) {
    const said = isUserError(cause, 'data') && file === tokenizerFile;
    throw reworded(cause, (reason) => importError(said ? reason : `${file} cannot be used: ${reason}`, { cause }));
  }
};

/** Ids by token, added tokens included. */
const idsOf = ({ added_tokens, model }: TokenizerJson): ReadonlyMap<string, number> => {
  const ids = new Map(vocabularyIn(model));
  const added = Array.isArray(added_tokens) ? added_tokens : [];
  for (const { id, content } of added) ids.set(String(content), Number(id));
  return ids;
};

const checkIds = (file: string, ids: ReadonlyMap<string, number>, vocabulary: number): void => {
  for (const [token, id] of ids) {
    if (id < vocabulary) continue;
    throw importError(
      `${file} gives the token ${JSON.stringify(token)} the id ${id}, the embedding has ${vocabulary} rows ` +
        '(vocab_size): the tokenizer belongs to another model',
    );
  }
};

/** The longest text in tokens by tokenizer_config.json; transformers writes 1e30 where a tokenizer has no limit. */
const lengthOf = (settings: JsonObject): number => {
  const key = 'model_max_length' in settings ? 'model_max_length' : 'max_len';
  const length = settings[key];
  if (length == null) return Number.POSITIVE_INFINITY;
  if (typeof length === 'number' && length >= 1e9) return Number.POSITIVE_INFINITY;
  if (typeof length === 'number' && Number.isInteger(length) && length >= 1) return length;
  throw importError(`${settingFiles.config}: ${key} is ${JSON.stringify(length)}; expected a number of tokens`);
};

/** What sentence-transformers say of the length counts, even where it is more than the tokenizer's own. */
const longestOf = (settings: JsonObject, sentence: SentenceSettings | undefined): number => {
  const own = lengthOf(settings);
  return sentence?.maxLength ?? own;
};

interface ModelFacts extends TokenizerFacts {
  /** The id that config.json fills batches with. */
  readonly padding: number | null;
}

const tokensOf = (
  { json, roles }: MadeTokenizer,
  ids: ReadonlyMap<string, number>,
  { padding, vocabulary }: ModelFacts,
): TokenRule => {
  const idOf = (role: string): number | undefined => {
    const token = roles.get(role);
    return token == null ? undefined : ids.get(contentOf(token));
  };
  const { unk_token, unk_id } = Object(json.model);
  const filler = padding ?? idOf('pad_token') ?? 0;
  if (filler >= vocabulary)
    throw importError(`config.json: pad_token_id is ${filler}, the embedding has ${vocabulary} rows (vocab_size)`);
  const unknown = ids.get(String(unk_token ?? '')) ?? unk_id ?? idOf('unk_token') ?? idOf('mask_token') ?? filler;
  return { padding: filler, unknown };
};

/** The rules by which the folder's tokenizer reads texts. */
export const folderRules = (folder: string, facts: TokenizerFacts, sentence?: SentenceSettings): unknown => {
  const { json } = makeTokenizer(folder, facts);
  return rulesOf(sentence?.lowercase === true ? lowercased(json) : json);
};

/** The folder's tokenizer, checked against the embedding, with the ids that have a role. */
export const readFolderTokenizer = (
  folder: string,
  facts: ModelFacts,
  sentence?: SentenceSettings,
): FolderTokenizer => {
  const made = makeTokenizer(folder, facts);
  const ids = idsOf(made.json);
  checkIds(made.file, ids, facts.vocabulary);
  const json = sentence?.lowercase === true ? lowercased(made.json) : made.json;
  return {
    json,
    encoder: loaded(made.file, json),
    tokens: tokensOf(made, ids, facts),
    maxLength: longestOf(made.settings.settings, sentence),
  };
};
