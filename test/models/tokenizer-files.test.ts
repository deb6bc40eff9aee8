import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EncodedText, tokenizerOf } from '../../data/tokenize.ts';
import { isUserError } from '../../ground/errors.ts';
import { type FolderTokenizer, readFolderTokenizer } from '../../models/importers/folder/tokenizer.ts';

const root = join(import.meta.dirname, '../golden/tokenizers');
const LONG = 100_000;

interface Expected {
  readonly lines: readonly string[];
  readonly tokenizers: Readonly<
    Record<
      string,
      {
        readonly ids: readonly (readonly number[])[];
        /** Length, ids and types of each even line with the one behind it. */
        readonly pairs: readonly (readonly [number, readonly number[], readonly number[]])[];
      }
    >
  >;
}
const { lines, tokenizers }: Expected = JSON.parse(readFileSync(join(root, 'expected.json'), 'utf8'));
const names = Object.keys(tokenizers);

/** The model that a golden folder's tokenizer belongs to, by the folder's name; one whose class takes tokenizer.json as it is. */
const modelTypeOf = (name: string): string =>
  ['bert', 'mpnet', 'roberta'].find((type) => name.startsWith(type)) ?? 'modernbert';

const read = (folder: string, vocabulary = 1000, modelType = modelTypeOf(basename(folder))): FolderTokenizer =>
  readFolderTokenizer(folder, { vocabulary, padding: null, modelType });

const typesOf = ({ ids, types }: EncodedText): readonly number[] => [...(types ?? new Uint8Array(ids.length))];

describe('a tokenizer of vocabulary files', () => {
  it.each(names)('gives the ids of Python on odd texts: %s', async (name) => {
    const encoder = tokenizerOf(read(join(root, name)).json);
    const encoded = await encoder.encodeBatch(lines, LONG);
    // decant never gives no token at all.
    const expected = tokenizers[name]?.ids.map((ids) => (ids.length === 0 ? [3] : ids));
    expect(lines.filter((_, i) => encoded[i]?.ids.join() !== expected?.[i]?.join())).toEqual([]);
  });

  it.each(names)('cuts pairs to a length and types them as Python does: %s', async (name) => {
    const encoder = tokenizerOf(read(join(root, name)).json);
    let compared = 0;
    for (const [i, [length, ids, types]] of (tokenizers[name]?.pairs ?? []).entries()) {
      const [text = '', pair = ''] = lines.slice(2 * i, 2 * i + 2);
      const encoded = await encoder.encode({ text, pair }, length);
      expect([text, pair, [...encoded.ids], typesOf(encoded)]).toEqual([text, pair, ids, types]);
      compared++;
    }
    expect(compared).toBeGreaterThan(85);
  });

  it('knows the tokens with a role and the longest text', () => {
    expect(read(join(root, 'bert-cased'))).toMatchObject({ tokens: { padding: 0, unknown: 3 }, maxLength: 512 });
    expect(read(join(root, 'bert-own-tokens'))).toMatchObject({ tokens: { padding: 0, unknown: 1 } });
    expect(read(join(root, 'roberta')).tokens).toEqual({ padding: 1, unknown: 3 });
    expect(read(join(root, 'mpnet')).tokens).toEqual({ padding: 1, unknown: 3 });
  });
});

describe('tokenizer files that do not fit', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'decant-vocabulary-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const put = (file: string, content: unknown): Promise<void> =>
    writeFile(join(folder, file), typeof content === 'string' ? content : JSON.stringify(content));

  /** What a folder says after some files of a golden one were replaced. */
  const refusal = async (
    name: string,
    files: Readonly<Record<string, unknown>>,
    modelType = modelTypeOf(name),
  ): Promise<string> => {
    if (name !== '') await cp(join(root, name), folder, { recursive: true });
    for (const [file, content] of Object.entries(files)) await put(file, content);
    try {
      read(folder, 1000, modelType);
    } catch (error) {
      if (isUserError(error, 'import')) return error.message;
      throw error;
    }
    return 'read';
  };

  const remedy =
    "make tokenizer.json with transformers: AutoTokenizer.from_pretrained('FOLDER').save_pretrained('FOLDER')";

  it('says what is read where there is no tokenizer, or only SentencePiece', async () => {
    expect(await refusal('', {}, 'bert')).toBe(
      `the folder has no tokenizer, and config.json says model_type bert, whose tokenizer is BertTokenizer: expected tokenizer.json or vocab.txt; ${remedy}`,
    );
    expect(await refusal('', { 'spiece.model': 'x' }, 'albert')).toBe(
      `the folder has only spiece.model (SentencePiece, which decant does not read), and config.json says model_type albert, whose tokenizer is AlbertTokenizer: expected tokenizer.json; ${remedy}`,
    );
  });

  it('says which half is missing', async () => {
    expect(await refusal('', { 'merges.txt': '' }, 'roberta')).toBe(
      'the folder has merges.txt and no vocab.json, which belong together',
    );
  });

  it('refuses merges of other tokens, at their line', async () => {
    expect(await refusal('roberta', { 'merges.txt': '#version: 0.2\na qq\n' })).toBe(
      "merges.txt:2: vocab.json has no 'qq': the files belong to two models",
    );
    expect(await refusal('roberta', { 'merges.txt': '#version: 0.2\na\n' })).toBe(
      'merges.txt:2: found "a"; expected two tokens with a space between them',
    );
  });

  it('refuses an empty vocabulary, and one without the tokens that frame a text', async () => {
    expect(await refusal('', { 'vocab.txt': '' }, 'bert')).toBe('vocab.txt is empty; expected one token a line');
    expect(await refusal('', { 'vocab.txt': '[UNK]\na\n' }, 'bert')).toBe(
      "vocab.txt has no '[CLS]' (cls_token); name the token that has this role in tokenizer_config.json",
    );
  });

  it('refuses ids that are no numbers', async () => {
    expect(await refusal('', { 'vocab.json': { a: 'b' }, 'merges.txt': '' }, 'roberta')).toMatch(/^vocab\.json: a: /);
  });

  it('refuses files of other kinds, and settings that are none', async () => {
    expect(await refusal('bert-cased', { 'tokenizer_config.json': { tokenizer_class: 'BertJapaneseTokenizer' } })).toBe(
      'tokenizer_config.json names a BertJapaneseTokenizer; what that class makes of a tokenizer is not known here: ' +
        'write "tokenizer_class": "PreTrainedTokenizerFast" into tokenizer_config.json to take tokenizer.json as it is, ' +
        'or save the tokenizer again with save_pretrained',
    );
    expect(await refusal('bert-cased', { 'tokenizer_config.json': { do_lower_case: 'no' } })).toBe(
      'tokenizer_config.json: do_lower_case is "no"; expected true or false',
    );
  });

  it('refuses more ids than the embedding has rows, by the name of the file', () => {
    expect(() => read(join(root, 'bert-defaults'), 100)).toThrow(
      /^vocab\.txt gives the token ".+" the id 100, the embedding has 100 rows \(vocab_size\): /,
    );
  });

  it('refuses a tokenizer.json that cannot be loaded', async () => {
    const json = read(join(root, 'added')).json;
    expect(await refusal('', { 'tokenizer.json': { ...json, pre_tokenizer: { type: 'Thai' } } })).toMatch(
      /^tokenizer.json: pre_tokenizer is of the kind "Thai"; there are: 'BertPreTokenizer', /,
    );
  });

  it('lets the settings of BERT win over tokenizer.json, as transformers does', async () => {
    await put('tokenizer.json', read(join(root, 'added')).json);
    expect(read(folder, 1000, 'bert').json.normalizer).toMatchObject({ lowercase: true, strip_accents: null });
    await put('tokenizer_config.json', { do_lower_case: false });
    expect(read(folder, 1000, 'bert').json.normalizer).toMatchObject({ lowercase: false, strip_accents: null });
  });
});
