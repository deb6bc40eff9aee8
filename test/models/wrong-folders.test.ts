import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tokenizerOf } from '../../data/tokenize.ts';
import { isUserError } from '../../ground/errors.ts';
import { knownModelTypes } from '../../models/architectures/index.ts';
import { folderKind, readModel } from '../../models/files.ts';
import { importModel, modelSources } from '../../models/importers/index.ts';
import { effort, isLate } from '../rig/effort.ts';
import { goldenFolder } from './golden-checkpoints.ts';
import { writeSafetensors } from './safetensors-file.ts';

/** A second, and some room for a machine that is shared. */
const SOON_SECONDS = 3;

describe('a folder that is wrong', () => {
  let root = '';
  let folder = '';
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'decant-folder-'));
  });
  afterAll(() => rmSync(root, { recursive: true }));

  const copyOf = (name: string): void => {
    folder = mkdtempSync(join(root, 'model-'));
    cpSync(goldenFolder(name), folder, { recursive: true });
  };
  const edit = (file: string, change: (json: Record<string, unknown>) => unknown): void => {
    const path = join(folder, file);
    const json: Record<string, unknown> = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify(change(json)));
  };
  const config = (changes: Record<string, unknown>): void =>
    edit('config.json', (json) => JSON.parse(JSON.stringify({ ...json, ...changes })));
  const rewrite = (change: (header: Record<string, unknown>) => unknown): void => {
    const path = join(folder, 'model.safetensors');
    const bytes = readFileSync(path);
    const end = 8 + Number(bytes.readBigUInt64LE());
    const header: Record<string, unknown> = JSON.parse(bytes.subarray(8, end).toString());
    writeSafetensors(path, change(header), bytes.subarray(end));
  };

  const failure = async (head: 'keep' | 'new' = 'keep'): Promise<string> => {
    const before = readdirSync(folder).length;
    const spent = effort();
    const message = await importModel(folder, '/', { head }).then(
      () => 'was imported',
      (error: unknown) => (isUserError(error, 'import') ? error.message : `unexpected: ${error}`),
    );
    expect(isLate(spent(), SOON_SECONDS)).toBe(false);
    expect(readdirSync(folder)).toHaveLength(before);
    return message;
  };

  it.each<[string, Record<string, unknown>, RegExp]>([
    [
      'with wider layers than the weights',
      { intermediate_size: 96 },
      /tensor 'bert\.encoder\.layer\.0\.intermediate\.dense\.weight' is \[48, 32\], by config\.json it should be \[96, 32\]/,
    ],
    [
      'with more layers',
      { num_hidden_layers: 3 },
      /have no tensor 'bert\.encoder\.layer\.2\.attention\.self\.query\.weight'/,
    ],
    [
      'with fewer layers',
      { num_hidden_layers: 1 },
      /hold bert\.encoder\.layer\.1\..* and \d+ more, which config\.json/,
    ],
    ['with another vocabulary', { vocab_size: 99 }, /gives the token .* the id \d+, the embedding has 99 rows/],
    ['with a larger vocabulary', { vocab_size: 1000 }, /'bert\.embeddings\.word_embeddings\.weight' is \[\d+, 32\]/],
    [
      'of another architecture',
      { model_type: 'bloom' },
      /^config\.json: decant knows no architecture 'bloom'; it knows albert, bert/,
    ],
    ['of no architecture', { model_type: undefined }, /^config\.json: model_type: /],
    [
      'with heads that do not divide its width',
      { num_attention_heads: 5 },
      /num_attention_heads: expected a divisor of hidden_size/,
    ],
    ['with an unknown activation', { hidden_act: 'mish' }, /^config\.json: hidden_act: /],
    [
      'with relative positions',
      { position_embedding_type: 'relative_key' },
      /^config\.json: position_embedding_type: /,
    ],
    ['that is a decoder', { is_decoder: true }, /^config\.json: is_decoder: .*expected false, found true$/],
    ['with a size that is no number', { hidden_size: '32' }, /^config\.json: hidden_size: /],
    ['with a size beyond reason', { max_position_embeddings: 1e9 }, /^config\.json: max_position_embeddings: /],
    [
      'with positions that the weights do not have',
      { max_position_embeddings: 9e5 },
      /position_embeddings\.weight' is \[\d+, 32\]/,
    ],
    [
      'with other classes',
      { id2label: { 0: 'a', 1: 'b' } },
      /'classifier\.weight' is \[3, 32\], by config\.json it should be \[2, 32\]/,
    ],
    [
      'with more classes than columns',
      { id2label: { 0: 'a', 1: 'b', 2: 'c', 3: 'd', 4: 'e' } },
      /'classifier\.weight' is \[3, 32\], by config\.json it should be \[5, 32\]/,
    ],
    [
      'with numbers for some names',
      { id2label: { 0: 'a', 1: 4, 2: 'c' } },
      /id2label calls class 1 4; expected a text, such as "4"$/,
    ],
    [
      'with no name for a class',
      { id2label: { 0: 'a', 1: null, 2: 'c' } },
      /id2label calls class 1 null; expected a text/,
    ],
    [
      'with classes counted from 1',
      { id2label: { 1: 'a', 2: 'b', 3: 'c' } },
      /id2label names 3 classes, but none of number 0/,
    ],
    [
      'with numbers in two spellings',
      { id2label: { 0: 'a', '01': 'b', 2: 'c' } },
      /id2label names 3 classes, but none of number 1/,
    ],
    ['with a list of names', { id2label: ['a', 'b', 'c'] }, /^config\.json: id2label: /],
    ['with a class too few', { id2label: { 0: 'a', 2: 'b' } }, /id2label names 2 classes, but none of number 1/],
    ['with two classes of one name', { id2label: { 0: 'a', 1: 'b', 2: 'a' } }, /two of its classes have the same name/],
    ['that is a regression', { problem_type: 'regression' }, /it has 3 outputs, a regression of several numbers/],
    [
      'with a problem that nobody knows',
      { problem_type: 'multi_lable_classification' },
      /its problem_type is multi_lable_classification, decant reads such a head for single_label_classification or multi_label_classification or regression; 'head: new' takes/,
    ],
    [
      'that answers questions',
      { architectures: ['BertForQuestionAnswering'] },
      /a BertForQuestionAnswering, a head that decant/,
    ],
    [
      'without the head it says',
      { architectures: ['BertForMaskedLM'] },
      /a BertForMaskedLM, but the safetensors have no 'cls\./,
    ],
    ['that does not say its head', { architectures: ['BertModel'] }, /hold classifier\.bias, classifier\.weight/],
    [
      'that names no class',
      { architectures: null },
      /hold classifier\.bias, classifier\.weight, .* it has no "architectures"; name the class that the model was saved from/,
    ],
    [
      'with quantized weights',
      { quantization_config: { bits: 4 } },
      /^config\.json: quantization_config is \{"bits":4\}; quantized weights are not read/,
    ],
    [
      'with a padding id beyond the vocabulary',
      { pad_token_id: 5000 },
      /pad_token_id is 5000, the embedding has \d+ rows/,
    ],
  ])('config.json %s', async (_, changes, message) => {
    copyOf('bert');
    config(changes);
    expect(await failure()).toMatch(message);
  });

  it.each<[string, string, Record<string, unknown>, RegExp]>([
    [
      'DeBERTa with heads of another width',
      'deberta-v2',
      { attention_head_size: 4 },
      /^config\.json: attention_head_size: expected 8, hidden_size over num_attention_heads; found 4$/,
    ],
    [
      'DeBERTa with a single bucket',
      'deberta-v2',
      { position_buckets: 1 },
      /position_buckets: expected -1 for none, or at least 4; found 1$/,
    ],
    [
      'DeBERTa with ten million positions, of which no weights tell',
      'deberta-v2',
      { max_position_embeddings: 1e7 },
      /^config\.json: max_position_embeddings: /,
    ],
    ['ModernBERT with as many', 'modernbert', { max_position_embeddings: 1e7 }, /max_position_embeddings: /],
    [
      'ModernBERT with stretched positions, in the old words',
      'modernbert',
      { rope_parameters: { full_attention: { type: 'linear', factor: 2 } } },
      /^config\.json: rope_parameters\.full_attention\.type: /,
    ],
    [
      'ELECTRA that tells replaced words',
      'electra-features',
      { architectures: ['ElectraForPreTraining'] },
      /a ElectraForPreTraining, a head that decant does not know; 'head: new' takes the encoder/,
    ],
    [
      'BERT that goes on with texts',
      'bert-mlm',
      { architectures: ['BertLMHeadModel'] },
      /a BertLMHeadModel, a head that decant does not know/,
    ],
    [
      'DistilBERT with the names of BERT',
      'distilbert',
      { n_heads: undefined, num_attention_heads: 5 },
      /n_heads: expected a divisor of dim, which is 32; found 5/,
    ],
    ['MPNet that counts types of tokens, which it does not have', 'mpnet', { type_vocab_size: 1 }, /^was imported$/],
    ['RoBERTa that does not say how many types it has: two', 'roberta', { type_vocab_size: undefined }, /is \[1, 32\]/],
  ])('config.json is of %s', async (_, name, changes, message) => {
    copyOf(name);
    config(changes);
    expect(await failure()).toMatch(message);
  });

  it('says every architecture that is known', async () => {
    copyOf('bert');
    config({ model_type: 'bloom' });
    for (const known of knownModelTypes()) expect(await failure()).toContain(known);
  });

  it.each(['config.json', 'tokenizer.json', 'model.safetensors'])('has %s cut short, or none', async (file) => {
    copyOf('bert');
    const bytes = readFileSync(join(folder, file));
    for (const length of [0, 1, bytes.length >> 1, bytes.length - 2]) {
      writeFileSync(join(folder, file), bytes.subarray(0, length));
      expect(await failure()).toMatch(new RegExp(`^${file.replace('.', '\\.')}`));
    }
    rmSync(join(folder, file));
    expect(await failure()).toContain(file === 'tokenizer.json' ? 'has no tokenizer' : `has no ${file}`);
  });

  it('nests JSON too deep', async () => {
    copyOf('bert');
    writeFileSync(join(folder, 'config.json'), `{"a":${'['.repeat(1e6)}`);
    expect(await failure()).toMatch(/^config\.json nests brackets more than 64 deep/);
  });

  it('holds a tensor that nobody knows, or one of integers', async () => {
    copyOf('bert');
    rewrite((header) => ({ ...header, 'bert.encoder.more': { dtype: 'F32', shape: [0], data_offsets: [0, 0] } }));
    expect(await failure()).toMatch(
      /^the safetensors hold bert\.encoder\.more, which config\.json does not account for/,
    );
    copyOf('bert');
    rewrite((header) => {
      const name = 'classifier.bias';
      return { ...header, [name]: { ...Object(header[name]), dtype: 'I32' } };
    });
    expect(await failure()).toMatch(
      /tensor 'classifier\.bias' has elements of type I32; decant reads parameters of F32/,
    );
  });

  it('holds an output matrix beside the embeddings that it is tied to: equal, or the two contradict', async () => {
    const again = (copy: string, of: string, change: number): void => {
      copyOf('bert-mlm');
      const path = join(folder, 'model.safetensors');
      const bytes = readFileSync(path);
      const end = 8 + Number(bytes.readBigUInt64LE());
      const header: Record<string, { data_offsets: [number, number] }> = JSON.parse(bytes.subarray(8, end).toString());
      const [from, to] = header[of]?.data_offsets ?? [0, 0];
      const [data, more] = [bytes.subarray(end), Buffer.from(bytes.subarray(end + from, end + to))];
      more[1] = (more[1] ?? 0) + change;
      const data_offsets = [data.length, data.length + more.length];
      writeSafetensors(path, { ...header, [copy]: { ...header[of], data_offsets } }, Buffer.concat([data, more]));
    };
    const table = 'bert.embeddings.word_embeddings.weight';
    again('cls.predictions.decoder.weight', table, 0);
    expect(await failure()).toBe('was imported');
    again('cls.predictions.decoder.weight', table, 1);
    expect(await failure()).toBe(
      `model.safetensors: tensor 'cls.predictions.decoder.weight' has other values than '${table}', but config.json says that ` +
        'they are one (tie_word_embeddings): set it to false there if the model has an output matrix of its own',
    );
    expect(await failure('new')).toBe('was imported');
    config({ tie_word_embeddings: false });
    expect(await failure()).toBe('was imported');
    again('cls.predictions.decoder.bias', 'cls.predictions.bias', 1);
    expect(await failure()).toMatch(
      /tensor 'cls\.predictions\.decoder\.bias' has other values than 'cls\.predictions\.bias'/,
    );
  });

  it('has old names for layer normalisation and buffers of ids, and is imported', async () => {
    copyOf('bert');
    rewrite((header) =>
      Object.fromEntries([
        ...Object.entries(header).map(([name, entry]) => [
          name.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta'),
          entry,
        ]),
        ['bert.embeddings.position_ids', { dtype: 'I64', shape: [1, 0], data_offsets: [0, 0] }],
      ]),
    );
    expect(await failure()).toBe('was imported');
  });

  it('keeps the encoder of sentence-transformers in a folder of its own', async () => {
    copyOf('sentence-transformers');
    rmSync(join(folder, 'config.json'));
    expect(await failure()).toMatch(/has no config\.json: its modules\.json keeps the encoder in another folder; copy/);
  });

  it.each(['adapter_config.json', 'adapter_model.safetensors', 'adapter_model.bin'])(
    'has an adapter beside a whole model: %s',
    async (file) => {
      copyOf('bert');
      writeFileSync(join(folder, file), '{}');
      const message = `the folder holds an adapter (${file}), the difference from another model: merge the two with merge_and_unload()`;
      expect(await failure()).toContain(message);
      expect(await failure('new')).toContain(message);
      await expect(modelSources(folder, '/')).rejects.toThrow(message);
      const named = message.replace('the folder', folder);
      await expect(readModel(folder)).rejects.toThrow(named);
      await expect(folderKind(folder)).rejects.toThrow(named);
    },
  );

  const withTypes = (first: number, second: number) => {
    const place = (id: string, type_id: number) => ({ Sequence: { id, type_id } });
    const template = { type: 'TemplateProcessing', single: [place('A', first)], special_tokens: {} };
    return { ...template, pair: [place('A', 0), place('B', second)] };
  };

  it.each([
    ['of single texts', 2, 1, (post: object) => post],
    ['of pairs alone', 0, 2, (post: object) => post],
    ['that a byte cannot hold', 256, 1, (post: object) => post],
    ['in a sequence', 257, 1, (post: object) => ({ type: 'Sequence', processors: [post] })],
  ])('gives tokens a type that the model lacks: %s', async (_, first, second, wrapped) => {
    copyOf('bert');
    edit('tokenizer_config.json', (json) => ({ ...json, tokenizer_class: 'PreTrainedTokenizerFast' }));
    edit('tokenizer.json', (json) => ({ ...json, post_processor: wrapped(withTypes(first, second)) }));
    expect(await failure()).toBe(
      `tokenizer.json: its post_processor gives tokens the type_id ${Math.max(first, second)}, but the model has 2 types, 0 to 1 ` +
        '(type_vocab_size in config.json): mend the type_id, or take the tokenizer of this model',
    );
    edit('tokenizer.json', (json) => ({ ...json, post_processor: wrapped(withTypes(1, 1)) }));
    expect(await failure()).toBe('was imported');
  });

  it('has types that no byte holds, in a tokenizer without a model', async () => {
    copyOf('bert');
    const json: Record<string, unknown> = JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8'));
    await expect(tokenizerOf({ ...json, post_processor: withTypes(300, 0) }).encode('a text', 16)).rejects.toThrow(
      'tokenizer.json: its post_processor gives tokens the type_id 300; expected none above 255',
    );
  });

  it('is an adapter', async () => {
    copyOf('bert');
    rmSync(join(folder, 'model.safetensors'));
    writeFileSync(join(folder, 'adapter_config.json'), '{}');
    const message = /^the folder holds an adapter \(adapter_config\.json\).* merge_and_unload/;
    expect(await failure()).toMatch(message);
    rmSync(join(folder, 'config.json'));
    expect(await failure()).toMatch(message);
  });

  it.each([
    [
      'pytorch_model.bin',
      /has no model\.safetensors .* pytorch_model\.bin is a pickle, which runs code when it is opened/,
    ],
    ['tf_model.h5', /tf_model\.h5 belongs to TensorFlow/],
    [
      'other.bin',
      /has no model\.safetensors and no model\.safetensors\.index\.json: save the model with save_pretrained/,
    ],
  ])('holds %s alone', async (file, message) => {
    copyOf('bert');
    rmSync(join(folder, 'model.safetensors'));
    writeFileSync(join(folder, file), 'x');
    expect(await failure()).toMatch(message);
  });

  it('has a shard too few', async () => {
    copyOf('bert-features');
    const [shard = ''] = readdirSync(folder).filter((file) => /^model-00002/.test(file));
    rmSync(join(folder, shard));
    expect(await failure()).toContain(`names the shard '${shard}', which is not in the folder`);
  });

  it.each<[string, unknown, RegExp]>([
    [
      'outside',
      [{ path: '../x', type: 'sentence_transformers.models.Pooling' }],
      /^modules\.json: 0\.path: expected the name/,
    ],
    [
      'without config',
      [
        { path: '', type: 'sentence_transformers.models.Transformer' },
        { path: 'x', type: 'sentence_transformers.models.Pooling' },
      ],
      /pooling whose config\.json is not there/,
    ],
    [
      'that decant does not compute',
      [{ path: 'x', type: 'sentence_transformers.models.Dense' }],
      /lists the module Dense/,
    ],
    ['without pooling', [{ path: '', type: 'sentence_transformers.models.Transformer' }], /lists no Pooling/],
    [
      'in another order',
      [
        { path: '', type: 'sentence_transformers.models.Transformer' },
        { path: '2_Normalize', type: 'sentence_transformers.models.Normalize' },
        { path: '1_Pooling', type: 'sentence_transformers.models.Pooling' },
      ],
      /lists Transformer, Normalize, Pooling; decant computes one Transformer and one Pooling, and then perhaps Normalize/,
    ],
    [
      'of which two have one name',
      [
        { name: '0', path: '', type: 'sentence_transformers.models.Transformer' },
        { name: '1', path: '1_Pooling', type: 'sentence_transformers.models.Pooling' },
        { name: '1', path: '2_Normalize', type: 'sentence_transformers.models.Normalize' },
      ],
      /^modules\.json has two modules of the name "1", of which sentence-transformers computes one: give each a name of its own/,
    ],
    [
      'with the encoder in a folder of its own',
      [
        { path: '0_BERT', type: 'sentence_transformers.models.Transformer' },
        { path: '1_Pooling', type: 'sentence_transformers.models.Pooling' },
      ],
      /puts the Transformer into '0_BERT'; expected it beside modules\.json/,
    ],
  ])('lists modules %s', async (_, modules, message) => {
    copyOf('sentence-transformers');
    writeFileSync(join(folder, 'modules.json'), JSON.stringify(modules));
    expect(await failure()).toMatch(message);
  });

  it('has a prompt before every text, or none by default', async () => {
    copyOf('sentence-transformers');
    const prompts = (name: string | null): void =>
      writeFileSync(
        join(folder, 'config_sentence_transformers.json'),
        JSON.stringify({ prompts: { query: 'query: ', document: '' }, default_prompt_name: name }),
      );
    prompts('query');
    expect(await failure()).toMatch(
      /^config_sentence_transformers\.json: every text begins with the prompt 'query', "query: "/,
    );
    for (const harmless of ['document', null]) {
      prompts(harmless);
      expect(await failure()).toBe('was imported');
    }
  });

  it.each([
    [
      { truncation_side: 'left' },
      /^tokenizer_config\.json: truncation_side is "left"; decant cuts the end of long texts/,
    ],
    [{ do_lower_case: 'false' }, /^tokenizer_config\.json: do_lower_case is "false"; expected true or false$/],
    [{ pad_token: 7 }, /^tokenizer_config\.json: pad_token: /],
  ])('has the tokenizer settings %j', async (settings, message) => {
    copyOf('bert');
    edit('tokenizer_config.json', (json) => ({ ...json, ...settings }));
    expect(await failure()).toMatch(message);
  });

  it('pools sentences by their maximum', async () => {
    copyOf('sentence-transformers');
    const pooling = { pooling_mode_mean_tokens: true, pooling_mode_max_tokens: true };
    writeFileSync(join(folder, '1_Pooling/config.json'), JSON.stringify(pooling));
    expect(await failure()).toMatch(/pooled by max and mean; decant pools by mean or cls/);
  });

  const tensorsUnder = (rename: (name: string) => string): void =>
    rewrite((header) =>
      Object.fromEntries(
        Object.entries(header).map(([name, tensor]) => [name === '__metadata__' ? name : rename(name), tensor]),
      ),
    );

  it.each(['module.', '_orig_mod.', 'module._orig_mod.', '_fsdp_wrapped_module.'])(
    'has names behind the prefix %s of a wrapper, and is imported',
    async (prefix) => {
      copyOf('bert');
      tensorsUnder((name) => prefix + name);
      expect(await failure()).toBe('was imported');
      copyOf('bert');
      tensorsUnder((name) => name.replace(/^bert\./, `bert.${prefix}`));
      expect(await failure()).toBe('was imported');
    },
  );

  it('has names behind the prefix of something else', async () => {
    copyOf('bert');
    tensorsUnder((name) => `model.${name}`);
    expect(await failure()).toMatch(/they have 'model\.bert\.embeddings\..*take 'model\.bert\.' off all names$/);
    copyOf('bert');
    tensorsUnder((name) => `bert.${name}`);
    expect(await failure()).toMatch(/no tensor 'bert\.embeddings\..*; they have 'bert\.bert\.embeddings/);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    [
      'numbers for names',
      { id2label: { 0: 0, 1: 1, 2: 2 } },
      /id2label calls class 0 0; expected a text, such as "0"$/,
    ],
    [
      'names that contradict each other',
      { label2id: { animal: 2, money: 1, travel: 0 } },
      /id2label calls class 0 "animal", label2id gives "animal" the number 2: correct the one that is wrong$/,
    ],
    ['another number of names', { num_labels: 5 }, /num_labels is 5, id2label names 3 classes/],
    [
      'heads that were cut out',
      { pruned_heads: { 0: [1] } },
      /pruned_heads is \{"0":\[1\]\}; heads were cut out of it/,
    ],
    ['other tokens to look at', { add_cross_attention: true }, /add_cross_attention is true; decant imports encoders/],
    ['layers of their own', { per_layer_config: { 0: {} } }, /per_layer_config is .*its layers differ/],
    [
      'a key of a newer release',
      { transformers_version: '6.1.0', attention_sinks: true },
      /nothing is known of the key 'attention_sinks': the folder was written by transformers 6\.1\.0/,
    ],
  ])('has %s in config.json', async (_, changes, message) => {
    copyOf('bert');
    config(changes);
    expect(await failure()).toMatch(message);
  });

  it.each<[string, Record<string, unknown>]>([
    ['names of classes that only one table has', { label2id: { LABEL_0: 0, LABEL_1: 1, LABEL_2: 2 } }],
    ['no heads that were cut out', { pruned_heads: {} }],
    ['a key that no release reads', { foo: 1 }],
    ['no word of the release that wrote it', { transformers_version: undefined }],
  ])('has %s in config.json, and is imported', async (_, changes) => {
    copyOf('bert');
    config(changes);
    expect(await failure()).toBe('was imported');
  });

  it('names a class whose tokenizer is another than tokenizer.json, both files named', async () => {
    copyOf('bert');
    edit('tokenizer_config.json', (json) => ({ ...json, tokenizer_class: 'RobertaTokenizer' }));
    expect(await failure()).toMatch(
      /^tokenizer\.json has a model of the kind WordPiece, but tokenizer_config\.json names a RobertaTokenizer/,
    );
  });

  it('has no WordPiece by a guess where its own tokenizer is SentencePiece', async () => {
    copyOf('xlm-roberta');
    rmSync(join(folder, 'tokenizer.json'));
    writeFileSync(join(folder, 'vocab.txt'), '<s>\n<pad>\n</s>\n<unk>\na\n');
    expect(await failure()).toMatch(
      /^the folder has only vocab\.txt, and tokenizer_config\.json names a XLMRobertaTokenizer: expected tokenizer\.json; /,
    );
  });

  it('is a cross-encoder, and stays a classifier', async () => {
    copyOf('bert');
    const type = 'sentence_transformers.base.modules.transformer.Transformer';
    writeFileSync(join(folder, 'modules.json'), JSON.stringify([{ idx: 0, name: '0', path: '', type }]));
    writeFileSync(
      join(folder, 'sentence_bert_config.json'),
      JSON.stringify({
        transformer_task: 'sequence-classification',
        modality_config: { text: { method: 'forward', method_output_name: 'logits' } },
        module_output_name: 'scores',
        max_seq_length: 16,
      }),
    );
    const { info } = await importModel(folder, '/', { head: 'keep' });
    expect(info).toMatchObject({ task: 'text-classification', labels: ['animal', 'money', 'travel'], maxLength: 16 });
    config({ architectures: ['BertModel'] });
    expect(await failure()).toMatch(
      /^modules\.json says that the model classifies, config\.json that it was saved from BertModel/,
    );
  });

  it('is none', async () => {
    await expect(modelSources('./nothing-here', root)).rejects.toThrow(
      /nothing-here is no folder: expected one with config\.json/,
    );
    await expect(modelSources('./', root)).rejects.toThrow(/has no config\.json: it is no model of Hugging Face/);
  });

  it('names each file that was read, so that a change runs the stage again', async () => {
    const files = (await modelSources(goldenFolder('sentence-transformers'), '/')).map((file) =>
      file.slice(goldenFolder('sentence-transformers').length + 1),
    );
    expect(files).toEqual([
      'config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
      'modules.json',
      '1_Pooling/config.json',
      'sentence_bert_config.json',
    ]);
  });
});
