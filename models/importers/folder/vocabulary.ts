import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { TokenizerJson } from '../../../data/tokenizer.ts';
import {
  type AddedToken,
  addedToken,
  byteBpeOf,
  type Vocabulary,
  wordPieceOf,
} from '../../../data/tokenizers/checkpoint.ts';
import { ImportError } from '../importer.ts';
import { type JsonObject, readJson, readText } from '../json-file.ts';

/** What a tokenizer is made of where its folder has no tokenizer.json. */
export const vocabularyFiles = {
  words: 'vocab.txt',
  vocabulary: 'vocab.json',
  merges: 'merges.txt',
  added: 'added_tokens.json',
} as const;

/** Files of SentencePiece by the names that transformers gives them. */
const sentencePiece = ['spiece.model', 'sentencepiece.bpe.model', 'spm.model', 'tokenizer.model'] as const;

const roleNames = ['unk_token', 'pad_token', 'cls_token', 'sep_token', 'mask_token'] as const;
type Role = (typeof roleNames)[number];
type RoleTokens = Readonly<Record<Role, AddedToken>>;

const flags = {
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  single_word: z.boolean().default(false),
};
const tokenSchema = z.union([
  z.string().transform((content) => addedToken(content)),
  z.object({ content: z.string(), ...flags }).transform(({ content, ...rest }) => addedToken(content, rest)),
]);
const decoderSchema = z.record(
  z.string().regex(/^\d+$/),
  z.object({
    content: z.string(),
    ...flags,
    normalized: z.boolean().default(true),
    special: z.boolean().default(false),
  }),
);

/** A family of tokenizers that come as plain files. */
interface Family {
  readonly classes: RegExp;
  readonly roles: RoleTokens;
}

const rolesOf = (unk: string, pad: string, cls: string, sep: string, mask: AddedToken): RoleTokens => ({
  unk_token: addedToken(unk),
  pad_token: addedToken(pad),
  cls_token: addedToken(cls),
  sep_token: addedToken(sep),
  mask_token: mask,
});

/** In RoBERTa's way the mask is a word of its own: it takes the space before it along. */
const spacedMask = addedToken('<mask>', { lstrip: true });

const families = {
  bert: {
    classes: /^(Bert|DistilBert|Electra|MobileBert|ConvBert|LayoutLM|SqueezeBert|Funnel)Tokenizer(Fast)?$/,
    roles: rolesOf('[UNK]', '[PAD]', '[CLS]', '[SEP]', addedToken('[MASK]')),
  },
  mpnet: { classes: /^MPNetTokenizer(Fast)?$/, roles: rolesOf('[UNK]', '<pad>', '<s>', '</s>', spacedMask) },
  roberta: {
    classes: /^(Roberta|Longformer|Bart)Tokenizer(Fast)?$/,
    roles: rolesOf('<unk>', '<pad>', '<s>', '</s>', spacedMask),
  },
} as const satisfies Record<string, Family>;

/** Remedy of every tokenizer that is not read: transformers reads them all and writes tokenizer.json. */
const remedy =
  "make tokenizer.json with transformers: AutoTokenizer.from_pretrained('FOLDER').save_pretrained('FOLDER')";

const expected = 'tokenizer.json, vocab.txt (WordPiece), or vocab.json with merges.txt (byte-level BPE)';

const checkClass = (config: JsonObject, file: string, known: readonly Family[]): void => {
  const name = config.tokenizer_class;
  if (typeof name !== 'string' || /^PreTrainedTokenizer(Fast)?$|^TokenizersBackend$/.test(name)) return;
  if (known.some(({ classes }) => classes.test(name))) return;
  throw new ImportError(`${file} belongs to a ${name}, which decant does not make of its files; ${remedy}`);
};

const linesOf = (path: string): readonly string[] => {
  const lines = readText(path).split(/\r\n|\r|\n/);
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
};

/** One token a line; its number is the id. */
const readWords = (folder: string): Vocabulary => {
  const lines = linesOf(join(folder, vocabularyFiles.words));
  if (lines.length === 0) throw new ImportError(`${vocabularyFiles.words} is empty; expected one token a line`);
  return new Map(lines.map((token, id) => [token, id]));
};

const readVocabulary = (folder: string): Vocabulary => {
  const ids = readJson(join(folder, vocabularyFiles.vocabulary), z.record(z.string(), z.int().nonnegative()));
  return new Map(Object.entries(ids).sort(([, a], [, b]) => a - b));
};

const readMerges = (folder: string, vocabulary: Vocabulary): readonly (readonly [string, string])[] =>
  linesOf(join(folder, vocabularyFiles.merges)).flatMap((line, number) => {
    if (line.startsWith('#version') || line === '') return [];
    const [left = '', right, more] = line.split(' ');
    const at = `${vocabularyFiles.merges}:${number + 1}`;
    if (right === undefined || more !== undefined) {
      throw new ImportError(`${at}: found ${JSON.stringify(line)}; expected two tokens with a space between them`);
    }
    const strange = [left, right, left + right].find((token) => !vocabulary.has(token));
    if (strange === undefined) return [[left, right] as const];
    throw new ImportError(`${at}: ${vocabularyFiles.vocabulary} has no '${strange}': the files belong to two models`);
  });

/** Roles as the folder names them, else as the family does. */
const namedRoles = ({ roles }: Family, config: JsonObject): RoleTokens => {
  const named = roleNames.flatMap((role) => {
    const found = tokenSchema.safeParse(config[role]);
    if (!found.success) return [];
    const usual = roles[role];
    // A name alone says nothing of spaces: they stay as the family has them.
    const plain = typeof config[role] === 'string' && found.data.content === usual.content;
    return [[role, plain ? usual : found.data] as const];
  });
  return { ...roles, ...Object.fromEntries(named) };
};

interface Added {
  readonly id: number;
  readonly token: AddedToken;
}

/** Tokens beside the roles: with their flags in newer folders, only with their ids in older ones. */
const otherTokens = (folder: string, config: JsonObject): readonly Added[] => {
  const decoder = decoderSchema.safeParse(config.added_tokens_decoder);
  if (decoder.success) {
    return Object.entries(decoder.data).map(([id, { content, ...rest }]) => ({
      id: Number(id),
      token: addedToken(content, rest),
    }));
  }
  const path = join(folder, vocabularyFiles.added);
  if (!existsSync(path)) return [];
  const ids = readJson(path, z.record(z.string(), z.int().nonnegative()));
  return Object.entries(ids).map(([content, id]) => ({
    id,
    token: addedToken(content, { normalized: true, special: false }),
  }));
};

/** Every added token once, by id. Roles that the vocabulary does not have are left out. */
const addedTokens = (
  folder: string,
  config: JsonObject,
  roles: RoleTokens,
  vocabulary: Vocabulary,
): readonly (AddedToken & { readonly id: number })[] => {
  const others = otherTokens(folder, config);
  const known = new Map(others.map(({ id, token }) => [token.content, { ...token, id }]));
  for (const token of Object.values(roles)) {
    const id = known.get(token.content)?.id ?? vocabulary.get(token.content);
    if (id !== undefined)
      known.set(token.content, { ...token, ...known.get(token.content), special: true, normalized: false, id });
  }
  return [...known.values()];
};

interface Parts {
  readonly file: string;
  readonly family: Family;
  readonly vocabulary: Vocabulary;
}

/** What all families share: roles and added tokens, the framing ones there for sure. */
const sharedOf = (folder: string, config: JsonObject, { file, family, vocabulary }: Parts, needed: readonly Role[]) => {
  const roles = namedRoles(family, config);
  const added = addedTokens(folder, config, roles, vocabulary);
  for (const role of needed) {
    const { content } = roles[role];
    if (added.some((token) => token.content === content)) continue;
    throw new ImportError(
      `${file} has no '${content}' (${role}); name the token that has this role in tokenizer_config.json`,
    );
  }
  const [unknown, first, last] = [roles.unk_token.content, roles.cls_token.content, roles.sep_token.content];
  return { roles, shared: { vocabulary, added, roles: { unknown, first, last } } };
};

/** A setting that is true or false, or left out. */
export const flag = (config: JsonObject, name: string, usual: boolean): boolean => {
  const found = config[name] ?? usual;
  if (typeof found === 'boolean') return found;
  throw new ImportError(`tokenizer_config.json: ${name} is ${JSON.stringify(found)}; expected true or false`);
};

export interface VocabularyTokenizer {
  /** The file with its tokens. */
  readonly file: string;
  readonly json: TokenizerJson;
  /** Contents by role, those of the family where the folder does not name them. */
  readonly roles: Readonly<Record<Role, string>>;
}

const contents = (roles: RoleTokens): VocabularyTokenizer['roles'] => ({
  unk_token: roles.unk_token.content,
  pad_token: roles.pad_token.content,
  cls_token: roles.cls_token.content,
  sep_token: roles.sep_token.content,
  mask_token: roles.mask_token.content,
});

const fromWords = (folder: string, config: JsonObject): VocabularyTokenizer => {
  const file = vocabularyFiles.words;
  checkClass(config, file, [families.bert, families.mpnet]);
  const vocabulary = readWords(folder);
  const mpnet =
    config.tokenizer_class === undefined
      ? !vocabulary.has('[CLS]') && vocabulary.has('<s>')
      : families.mpnet.classes.test(String(config.tokenizer_class));
  const family = mpnet ? families.mpnet : families.bert;
  const parts = { file, family, vocabulary };
  const { roles, shared } = sharedOf(folder, config, parts, ['unk_token', 'cls_token', 'sep_token']);
  const json = wordPieceOf({
    ...shared,
    lowercase: flag(config, 'do_lower_case', true),
    stripAccents: config.strip_accents == null ? null : flag(config, 'strip_accents', false),
    chineseCharacters: flag(config, 'tokenize_chinese_chars', true),
    framing: mpnet ? 'roberta' : 'bert',
  });
  return { file, json, roles: contents(roles) };
};

const fromMerges = (folder: string, config: JsonObject): VocabularyTokenizer => {
  const file = vocabularyFiles.vocabulary;
  checkClass(config, file, [families.roberta]);
  const vocabulary = readVocabulary(folder);
  const parts = { file, family: families.roberta, vocabulary };
  const { roles, shared } = sharedOf(folder, config, parts, ['cls_token', 'sep_token']);
  const json = byteBpeOf({
    ...shared,
    merges: readMerges(folder, vocabulary),
    addPrefixSpace: flag(config, 'add_prefix_space', false),
    trimOffsets: flag(config, 'trim_offsets', true),
  });
  return { file, json, roles: contents(roles) };
};

/** The tokenizer that a folder's vocabulary files describe. */
export const readVocabularyFiles = (folder: string, config: JsonObject): VocabularyTokenizer => {
  const has = (file: string): boolean => existsSync(join(folder, file));
  const { words, vocabulary, merges } = vocabularyFiles;
  if (has(words)) return fromWords(folder, config);
  if (has(vocabulary) && has(merges)) return fromMerges(folder, config);
  const [half] = [vocabulary, merges].filter(has);
  if (half !== undefined) {
    throw new ImportError(
      `the folder has ${half} and no ${half === merges ? vocabulary : merges}, which belong together`,
    );
  }
  const pieces = sentencePiece.find(has);
  const found =
    pieces === undefined ? 'has no tokenizer' : `has only ${pieces} (SentencePiece), which decant does not read`;
  throw new ImportError(`the folder ${found}: expected ${expected}; ${remedy}`);
};
