import { ModelError } from '../../ground/errors.ts';
import type { TokenizerJson } from '../tokenizer.ts';

/** A token that texts are searched for before anything else, and whether it takes the spaces beside it along. */
export interface AddedToken {
  readonly content: string;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly single_word: boolean;
  readonly normalized: boolean;
  readonly special: boolean;
}

export const addedToken = (content: string, flags: Partial<AddedToken> = {}): AddedToken => ({
  ...{ content, lstrip: false, rstrip: false, single_word: false, normalized: false, special: true },
  ...flags,
});

/** Tokens by role; one that the vocabulary does not have is left out. */
interface Roles {
  readonly unknown: string;
  /** In front of a text and behind it. */
  readonly first: string;
  readonly last: string;
}

export type Vocabulary = ReadonlyMap<string, number>;

interface Shared {
  readonly vocabulary: Vocabulary;
  readonly roles: Roles;
  /** With the ids they have, whatever the vocabulary says. */
  readonly added: readonly (AddedToken & { readonly id: number })[];
}

export interface WordPieceFiles extends Shared {
  readonly lowercase: boolean;
  /** Left out, accents go where texts are lower-cased. */
  readonly stripAccents: boolean | null;
  readonly chineseCharacters: boolean;
  /** How BERT frames pairs, with types, or how RoBERTa does, with a separator more. */
  readonly framing: 'bert' | 'roberta';
}

export interface ByteBpeFiles extends Shared {
  readonly merges: readonly (readonly [left: string, right: string])[];
  readonly addPrefixSpace: boolean;
  readonly trimOffsets: boolean;
}

const idOf = ({ vocabulary, added }: Shared, token: string): number => {
  const id = added.find(({ content }) => content === token)?.id ?? vocabulary.get(token);
  if (id === undefined) throw new ModelError(`the vocabulary has no '${token}'`);
  return id;
};

const template = (shared: Shared): TokenizerJson => {
  const { first, last } = shared.roles;
  const token = (id: string, type_id: number) => ({ SpecialToken: { id, type_id } });
  const text = (id: 'A' | 'B', type_id: number) => ({ Sequence: { id, type_id } });
  const entry = (id: string) => [id, { id, ids: [idOf(shared, id)], tokens: [id] }] as const;
  const single = [token(first, 0), text('A', 0), token(last, 0)];
  return {
    type: 'TemplateProcessing',
    single,
    pair: [...single, text('B', 1), token(last, 1)],
    special_tokens: Object.fromEntries([entry(first), entry(last)]),
  };
};

const roberta = (shared: Shared, spaces: { readonly trim_offsets: boolean; readonly add_prefix_space: boolean }) => {
  const { first, last } = shared.roles;
  return { type: 'RobertaProcessing', sep: [last, idOf(shared, last)], cls: [first, idOf(shared, first)], ...spaces };
};

const frame = ({ added }: Shared) => ({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: added
    .toSorted((a, b) => a.id - b.id)
    .map(({ id, content, single_word, lstrip, rstrip, normalized, special }) => ({
      ...{ id, content, single_word, lstrip, rstrip, normalized, special },
    })),
});

/** tokenizer.json of a vocab.txt, as transformers makes it for BERT and its relatives. */
export const wordPieceOf = (files: WordPieceFiles): TokenizerJson => ({
  ...frame(files),
  normalizer: {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: files.chineseCharacters,
    strip_accents: files.stripAccents,
    lowercase: files.lowercase,
  },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor:
    files.framing === 'bert' ? template(files) : roberta(files, { trim_offsets: true, add_prefix_space: false }),
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: files.roles.unknown,
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(files.vocabulary),
  },
});

/** tokenizer.json of vocab.json and merges.txt, as transformers makes it for RoBERTa. */
export const byteBpeOf = (files: ByteBpeFiles): TokenizerJson => {
  const spaces = { trim_offsets: files.trimOffsets, add_prefix_space: files.addPrefixSpace };
  return {
    ...frame(files),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: files.addPrefixSpace, trim_offsets: true, use_regex: true },
    post_processor: roberta(files, spaces),
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(files.vocabulary),
      merges: files.merges,
    },
  };
};
