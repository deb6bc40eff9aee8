/** A file of settings of a checkpoint or a model folder that is made to cost far more than it weighs. */
export interface SettingsBomb {
  readonly name: string;
  readonly golden: 'bert' | 'sentence-transformers' | 'albert' | 'deberta-v2' | 'modernbert' | 'sound';
  readonly file: string;
  /** The text of the file made from the sound one; undefined where there was none. */
  readonly spoil: (text: string | undefined) => string;
}

type Change = readonly [name: string, change: Readonly<Record<string, unknown>>];

const nested = (open: string, close: string, depth: number): string => `${open.repeat(depth)}1${close.repeat(depth)}`;

/** Texts that are no sound JSON document, or one of a strange form. */
const documents: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['null', 'null'],
  ['a number', '5'],
  ['a text', '"text"'],
  ['a list', '[]'],
  ['a list of a hundred thousand lists', `[${'[],'.repeat(100_000)}[]]`],
  ['lists two hundred thousand deep', nested('[', ']', 200_000)],
  ['objects two hundred thousand deep', nested('{"a":', '}', 200_000)],
  ['lists a thousand deep', nested('[', ']', 1000)],
  ['brackets without end', '['.repeat(4_000_000)],
  ['a text without end', `{"a":"${'x'.repeat(4_000_000)}`],
  ['blanks', ' '.repeat(10_000_000)],
  ['zero bytes', '\0'.repeat(100_000)],
  ['what JSON does not have', '{"a": NaN, "b": Infinity, "c": undefined}'],
  ['a number of a million digits', `{"a": ${'9'.repeat(1_000_000)}}`],
  ['an exponent of a million digits', `{"a": 1e${'9'.repeat(1_000_000)}}`],
  ['a text of lone surrogates', '{"a": "\\ud800\\udc00\\ud800"}'],
  ['two hundred thousand keys', `{${Array.from({ length: 200_000 }, (_, i) => `"k${i}":${i}`).join(',')}}`],
];

const sizes: readonly Change[] = [
  ['a hidden size of 1e9', { hidden_size: 1e9 }],
  ['a hidden size of 2 ** 31', { hidden_size: 2 ** 31, intermediate_size: 2 ** 31 }],
  ['a million layers', { num_hidden_layers: 1_000_000 }],
  ['a hundred million layers', { num_hidden_layers: 100_000_000 }],
  ['2 ** 53 layers', { num_hidden_layers: 2 ** 53 }],
  ['1e308 layers', { num_hidden_layers: 1e308 }],
  ['layers below zero', { num_hidden_layers: -1 }],
  ['no layers', { num_hidden_layers: 0 }],
  ['a vocabulary of 1e12', { vocab_size: 1e12 }],
  ['an intermediate size of 1e12', { intermediate_size: 1e12 }],
  ['a million heads', { num_attention_heads: 1_000_000 }],
  ['heads below zero', { num_attention_heads: -4 }],
  ['1e12 positions', { max_position_embeddings: 1e12 }],
  ['1e12 types', { type_vocab_size: 1e12 }],
  ['an epsilon of 1e308', { layer_norm_eps: 1e308 }],
  ['an epsilon of 1e-320', { layer_norm_eps: 1e-320 }],
  ['an epsilon that is text', { layer_norm_eps: 'NaN' }],
  ['a size that is the text NaN', { hidden_size: 'NaN' }],
  ['a size that is the text Infinity', { num_hidden_layers: 'Infinity' }],
  ['a size in a list', { hidden_size: [32] }],
  ['a size in an object', { num_hidden_layers: { valueOf: 2 } }],
  ['a dropout of 1e308', { hidden_dropout_prob: 1e308 }],
  ['a dropout of text', { hidden_dropout_prob: 'NaN' }],
  ['a million labels', { num_labels: 1_000_000 }],
  ['labels of a million letters', { id2label: { 0: 'a'.repeat(1_000_000), 1: 'b', 2: 'c' } }],
  ['labels of an id of 1e9', { id2label: { 1000000000: 'a' } }],
  ['labels that objects inherit', { id2label: { 0: '__proto__', 1: 'constructor', 2: 'toString' } }],
  ['labels in a list', { id2label: ['a', 'b', 'c'] }],
  ['labels that are objects', { id2label: { 0: {}, 1: [], 2: null } }],
  ['numbers for labels of 1e300', { label2id: { a: 1e300, b: -1, c: 0.5 } }],
  ['an architecture that objects inherit', { architectures: ['constructor'] }],
  ['a hundred thousand architectures', { architectures: Array(100_000).fill('BertModel') }],
  [
    'heads to prune without end',
    { pruned_heads: Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [i, [0]])) },
  ],
  ['a quantization', { quantization_config: { quant_method: 'x'.repeat(1_000_000) } }],
  ['a model type of a million letters', { model_type: 'x'.repeat(1_000_000) }],
];

const oneByOne = (file: string, golden: SettingsBomb['golden'], changes: readonly Change[]): readonly SettingsBomb[] =>
  changes.map(([name, change]) => ({
    ...{ name: `${file} of ${golden} with ${name}`, golden, file },
    spoil: (text = '{}') => JSON.stringify({ ...JSON.parse(text), ...change }),
  }));

const whole = (file: string, golden: SettingsBomb['golden']): readonly SettingsBomb[] =>
  documents.map(([name, text]) => ({ name: `${file} of ${golden} that is ${name}`, golden, file, spoil: () => text }));

const inherited: SettingsBomb['spoil'] = (text = '{}') =>
  text.replace('{', '{"__proto__":{"hidden_size":5},"constructor":{"prototype":{"a":1}},"toString":1,');

const specials = ['x'.repeat(1_000_000), '', ' ', '\0', '\ud800', '__proto__'] as const;

/** Settings of checkpoints and model folders, each with one thing that would cost much. */
export const settingsBombs: readonly SettingsBomb[] = [
  ...oneByOne('config.json', 'bert', sizes),
  // Layers that share their weights cost a file nothing.
  ...oneByOne('config.json', 'albert', [
    ...sizes.slice(0, 8),
    ['ten thousand layers', { num_hidden_layers: 10_000 }],
    ['a million groups', { num_hidden_groups: 1_000_000 }],
    ['a million inner groups', { inner_group_num: 1_000_000 }],
  ]),
  ...oneByOne('config.json', 'deberta-v2', [
    ['1e9 relative positions', { max_relative_positions: 1e9 }],
    ['1e9 buckets', { position_buckets: 1e9 }],
    ['a hundred thousand kinds of attention', { pos_att_type: Array(100_000).fill('p2c') }],
    ['a kernel of 1e9', { conv_kernel_size: 1e9 }],
  ]),
  ...oneByOne('config.json', 'modernbert', [
    ['windows of 1e12', { local_attention: 1e12 }],
    ['windows of nothing', { local_attention: 0 }],
    ['global attention in every layer of none', { global_attn_every_n_layers: 0 }],
    ['angles of 1e308', { global_rope_theta: 1e308, local_rope_theta: 1e308 }],
    ['angles of nothing', { global_rope_theta: 0 }],
    ['1e9 positions', { max_position_embeddings: 1e9 }],
    ['angles of a million layers', { rope_parameters: { full_attention: { rope_theta: -1 } } }],
    ['a million kinds of layers', { layer_types: Array(1_000_000).fill('full_attention') }],
  ]),
  ...whole('config.json', 'bert'),
  ...whole('tokenizer.json', 'bert'),
  ...whole('tokenizer_config.json', 'bert'),
  ...whole('special_tokens_map.json', 'bert'),
  ...whole('added_tokens.json', 'bert'),
  ...whole('modules.json', 'sentence-transformers'),
  ...whole('1_Pooling/config.json', 'sentence-transformers'),
  ...whole('sentence_bert_config.json', 'sentence-transformers'),
  ...whole('config_sentence_transformers.json', 'sentence-transformers'),
  ...whole('model.json', 'sound'),
  ...whole('tokenizer.json', 'sound'),
  ...[
    ['config.json', 'bert'],
    ['tokenizer_config.json', 'bert'],
    ['modules.json', 'sentence-transformers'],
    ['model.json', 'sound'],
    ['1_Pooling/config.json', 'sentence-transformers'],
  ].map(([file = '', golden]) => ({
    name: `${file} of ${golden} with keys that objects inherit`,
    golden: golden as SettingsBomb['golden'],
    file,
    spoil: inherited,
  })),
  ...specials.map((token) => ({
    ...{ name: `special_tokens_map.json with ${JSON.stringify(token.slice(0, 9))}`, golden: 'bert' as const },
    ...{
      file: 'special_tokens_map.json',
      spoil: () => JSON.stringify({ cls_token: token, pad_token: { content: token } }),
    },
  })),
  ...oneByOne('added_tokens.json', 'bert', [
    ['a hundred thousand tokens', Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`t${i}`, i]))],
    ['an id of 2 ** 53', { a: 2 ** 53 }],
    ['an id below zero', { a: -1 }],
    ['an id that is text', { a: '1' }],
  ]),
  ...oneByOne('special_tokens_map.json', 'bert', [
    ['a hundred thousand tokens', { additional_special_tokens: Array.from({ length: 100_000 }, (_, i) => `t${i}`) }],
    ['a hundred thousand lists', { additional_special_tokens: Array(100_000).fill([]) }],
    ['a number for a token', { unk_token: 5 }],
  ]),
  ...oneByOne('tokenizer_config.json', 'bert', [
    ['1e30 tokens', { model_max_length: 1e30 }],
    ['1e308 tokens', { model_max_length: 1e308 }],
    ['tokens below zero', { model_max_length: -1 }],
    ['no tokens', { model_max_length: 0 }],
    ['half a token', { model_max_length: 0.5 }],
    ['a decoder of an id of 1e9', { added_tokens_decoder: { 1000000000: { content: 'x' } } }],
    ['a decoder of ids that are none', { added_tokens_decoder: { a: { content: 'x' }, '-1': { content: 'y' } } }],
    [
      'a decoder of a hundred thousand tokens',
      {
        added_tokens_decoder: Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [i, { content: `t${i}` }])),
      },
    ],
    ['a class that objects inherit', { tokenizer_class: 'constructor' }],
    ['a template of a million letters', { chat_template: '{% for a in b %}'.repeat(100_000) }],
  ]),
  ...oneByOne('sentence_bert_config.json', 'sentence-transformers', [
    ['1e12 tokens', { max_seq_length: 1e12 }],
    ['tokens below zero', { max_seq_length: -5 }],
    ['half a token', { max_seq_length: 2.5 }],
    ['text for a number', { max_seq_length: 'NaN' }],
  ]),
  ...oneByOne('1_Pooling/config.json', 'sentence-transformers', [
    ['1e12 dimensions', { word_embedding_dimension: 1e12 }],
    ['text for a pooling', { pooling_mode_mean_tokens: 'NaN' }],
    ['a hundred thousand poolings', { pooling_mode: Array(100_000).fill('mean') }],
  ]),
  {
    ...{ name: 'modules.json with a hundred thousand modules', golden: 'sentence-transformers', file: 'modules.json' },
    spoil: () =>
      JSON.stringify(
        Array.from({ length: 100_000 }, (_, idx) => ({
          idx,
          name: `${idx}`,
          path: '',
          type: 'sentence_transformers.models.Normalize',
        })),
      ),
  },
  {
    ...{
      name: 'modules.json with modules that contain themselves',
      golden: 'sentence-transformers',
      file: 'modules.json',
    },
    spoil: () =>
      JSON.stringify([
        { idx: 0, name: '0', path: '.', type: 'sentence_transformers.models.Transformer' },
        { idx: 1, name: '1', path: './././', type: 'sentence_transformers.models.Pooling' },
      ]),
  },
  ...oneByOne('model.json', 'sound', [
    ['1e12 tokens', { maxLength: 1e12 }],
    ['tokens below zero', { maxLength: -1 }],
    ['half a token', { maxLength: 0.5 }],
    ['a hundred thousand labels', { labels: Array.from({ length: 100_000 }, (_, i) => `l${i}`) }],
    ['labels of a million letters', { labels: ['a'.repeat(1_000_000), 'b', 'c'] }],
    ['labels that are equal', { labels: ['a', 'a', 'a'] }],
    ['labels that are numbers', { labels: [1, 2, 3] }],
    ['a task that objects inherit', { task: 'constructor' }],
    ['another task', { task: 'features', labels: [] }],
    ['inputs without end', { inputs: Array(100_000).fill({ role: 'ids', name: 'input_ids' }) }],
  ]),
];
