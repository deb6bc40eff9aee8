import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { DataError } from '../../../data/errors.ts';
import { type TextEncoder, tokenizerOf } from '../../../data/tokenize.ts';
import type { TokenizerJson } from '../../../data/tokenizer.ts';
import type { Facts } from '../../architectures/architecture.ts';
import type { ModelInfo } from '../../model.ts';
import { ImportError } from '../importer.ts';
import { issueText, type JsonObject, readJsonObject } from '../json-file.ts';
import { lowercased, sentenceText } from './sentence.ts';
import { flag, readVocabularyFiles } from './vocabulary.ts';

export const tokenizerFiles = {
  tokenizer: 'tokenizer.json',
  config: 'tokenizer_config.json',
  special: 'special_tokens_map.json',
} as const;

const idSchema = z.int().nonnegative();
const tokenSchema = z.union([z.string(), z.object({ content: z.string() }).transform(({ content }) => content)]);

/** What of tokenizer.json says which id a token has: a vocabulary by token or, for unigrams, a list. */
const tokenizerSchema = z.object({
  added_tokens: z.array(z.object({ id: idSchema, content: z.string() })).nullish(),
  model: z.object({
    unk_token: z.string().nullish(),
    unk_id: idSchema.nullish(),
    vocab: z.union([z.record(z.string(), idSchema), z.array(z.tuple([z.string(), z.number()]))]),
  }),
});

const specialSchema = z.object({
  pad_token: tokenSchema.nullish(),
  unk_token: tokenSchema.nullish(),
  mask_token: tokenSchema.nullish(),
});

const readOptional = (folder: string, file: string): JsonObject =>
  existsSync(join(folder, file)) ? readJsonObject(join(folder, file)) : {};

export interface FolderTokenizer {
  readonly json: TokenizerJson;
  /** The tokenizer, loaded. */
  readonly encoder: TextEncoder;
  readonly tokens: ModelInfo['tokens'];
  /** Longest text that its makers want encoded; infinite where they do not say. */
  readonly maxLength: number;
}

/** Settings of both files, as transformers joins them: the older one counts where the newer lists no added tokens. */
const readSettings = (folder: string): JsonObject => {
  const [config, special] = [readOptional(folder, tokenizerFiles.config), readOptional(folder, tokenizerFiles.special)];
  return 'added_tokens_decoder' in config ? { ...special, ...config } : { ...config, ...special };
};

/** Keys of BERT's normaliser by the settings that speak of them. */
const normalizerKeys = {
  do_lower_case: 'lowercase',
  strip_accents: 'strip_accents',
  tokenize_chinese_chars: 'handle_chinese_chars',
} as const;

const checkSettings = (settings: JsonObject): void => {
  for (const name of Object.keys(normalizerKeys)) if (settings[name] != null) flag(settings, name, false);
  const side = settings.truncation_side ?? 'right';
  if (side === 'right') return;
  throw new ImportError(
    `${tokenizerFiles.config}: truncation_side is ${JSON.stringify(side)}; decant cuts the end of long texts, as clients do: expected "right"`,
  );
};

/** In transformers the settings of BERT's tokenizers win over what tokenizer.json says. */
const withSettings = (json: JsonObject, settings: JsonObject): TokenizerJson => {
  const normalizer = Object(json.normalizer);
  if (normalizer.type !== 'BertNormalizer') return json;
  const set = Object.entries(normalizerKeys).flatMap(([name, key]) =>
    name in settings ? [[key, settings[name]]] : [],
  );
  return { ...json, normalizer: { ...normalizer, ...Object.fromEntries(set) } };
};

/** The folder's tokenizer.json, or the one that its vocabulary files make, with the contents of tokens by role. */
const readTokenizer = (
  folder: string,
  settings: JsonObject,
): { readonly file: string; readonly json: TokenizerJson; readonly roles: JsonObject } => {
  const file = tokenizerFiles.tokenizer;
  const path = join(folder, file);
  if (existsSync(path)) return { file, json: withSettings(readJsonObject(path), settings), roles: settings };
  return readVocabularyFiles(folder, settings);
};

/** Whether texts can be encoded with it shows when it is loaded. */
const loaded = (file: string, json: TokenizerJson): TextEncoder => {
  try {
    return tokenizerOf(json);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const said = cause instanceof DataError && file === tokenizerFiles.tokenizer;
    throw new ImportError(said ? reason : `${file} cannot be used: ${reason}`, { cause });
  }
};

/** Ids by token, added tokens included. */
const idsOf = ({ added_tokens, model }: z.infer<typeof tokenizerSchema>): ReadonlyMap<string, number> => {
  const vocabulary = Array.isArray(model.vocab)
    ? model.vocab.map(([token], id) => [token, id] as const)
    : Object.entries(model.vocab);
  return new Map([...vocabulary, ...(added_tokens ?? []).map(({ id, content }) => [content, id] as const)]);
};

const checkIds = (file: string, ids: ReadonlyMap<string, number>, vocabulary: number): void => {
  for (const [token, id] of ids) {
    if (id < vocabulary) continue;
    throw new ImportError(
      `${file} gives the token ${JSON.stringify(token)} the id ${id}, the embedding has ${vocabulary} rows ` +
        '(vocab_size): the tokenizer belongs to another model',
    );
  }
};

/** transformers writes 1e30 where a tokenizer has no limit. */
const lengthOf = (config: JsonObject): number => {
  const length = config.model_max_length;
  return typeof length === 'number' && length >= 1 && length < 1e9 ? Math.floor(length) : Number.POSITIVE_INFINITY;
};

/** The folder's tokenizer, checked against the embedding, with the ids that have a role. */
export const readFolderTokenizer = (
  folder: string,
  { vocabulary, padding }: Pick<Facts, 'vocabulary' | 'padding'>,
): FolderTokenizer => {
  const settings = readSettings(folder);
  checkSettings(settings);
  const { file, json: written, roles } = readTokenizer(folder, settings);
  const sentence = sentenceText(folder);
  const json = sentence.lowercase ? lowercased(written) : written;
  const parsed = tokenizerSchema.safeParse(json);
  if (!parsed.success) throw new ImportError(`${file}: ${issueText(parsed.error.issues)}`);
  const ids = idsOf(parsed.data);
  checkIds(file, ids, vocabulary);
  const encoder = loaded(file, json);
  const special = specialSchema.safeParse(roles);
  if (!special.success) throw new ImportError(`${tokenizerFiles.config}: ${issueText(special.error.issues)}`);
  const { pad_token, unk_token, mask_token } = special.data;
  const idOf = (token: string | null | undefined): number | undefined => (token == null ? undefined : ids.get(token));
  const { model } = parsed.data;
  const filler = padding ?? idOf(pad_token) ?? 0;
  if (filler >= vocabulary) {
    throw new ImportError(`config.json: pad_token_id is ${filler}, the embedding has ${vocabulary} rows (vocab_size)`);
  }
  const unknown = idOf(model.unk_token) ?? model.unk_id ?? idOf(unk_token) ?? idOf(mask_token) ?? filler;
  const maxLength = Math.min(lengthOf(settings), sentence.maxLength);
  return { json, encoder, tokens: { padding: filler, unknown }, maxLength };
};
