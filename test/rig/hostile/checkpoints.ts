import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where the checkpoints are that others are spoiled copies of. */
export const goldenCheckpoints = fileURLToPath(new URL('../../golden/checkpoints/', import.meta.url));

type Json = Record<string, unknown>;
interface Header {
  readonly [name: string]: { dtype: string; shape: number[]; data_offsets: [number, number] };
}

const editJson = (path: string, edit: (json: Json) => unknown): void => {
  const json: Json = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify(edit(json) ?? json));
};

const headerOf = (file: Buffer): { readonly header: Header; readonly data: Buffer } => {
  const length = Number(file.readBigUInt64LE(0));
  return { header: JSON.parse(file.toString('utf8', 8, 8 + length)), data: file.subarray(8 + length) };
};

/** A safetensors file of a header, as text, and what stands behind it. */
const safetensors = (header: string | Buffer, data: Uint8Array): Buffer => {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, data]);
};

const editHeader = (folder: string, edit: (header: Header, data: Buffer) => string): void => {
  const path = `${folder}/model.safetensors`;
  const { header, data } = headerOf(readFileSync(path));
  writeFileSync(path, safetensors(edit(header, data), data));
};

/** A checkpoint as a stranger could send it: a golden one, and what is done to a copy of it. */
export interface HostileCheckpoint {
  readonly name: string;
  readonly golden: string;
  readonly spoil: (folder: string) => void;
}

const configs: readonly [string, Json][] = [
  ['sizes that no machine holds', { vocab_size: 10_000_000, hidden_size: 10_000_000 }],
  ['a million positions', { max_position_embeddings: 10_000_000 }],
  ['more layers than weights', { num_hidden_layers: 1000 }],
  ['no heads', { num_attention_heads: 0 }],
  ['heads that do not divide', { num_attention_heads: 5 }],
  ['a fraction of a layer', { num_hidden_layers: 1.5 }],
  ['text for a size', { hidden_size: '32' }],
  ['null for a size', { hidden_size: null }],
  ['an epsilon below zero', { layer_norm_eps: -1 }],
  ['an activation that objects inherit', { hidden_act: 'constructor' }],
  ['a model type that objects inherit', { model_type: '__proto__' }],
  ['padding beyond the vocabulary', { pad_token_id: 1e9 }],
  ['padding below zero', { pad_token_id: -1 }],
  ['an architecture that is a number', { architectures: [5] }],
  ['a million classes', { id2label: Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [i, `c${i}`])) }],
  ['classes with gaps', { id2label: { 0: 'a', 2: 'c', 7: 'h' } }],
  ['a class called by no number', { id2label: { 0: 'a', 1: 'b', length: 'c' } }],
];

const first = (header: Header): string => Object.keys(header).find((name) => name !== '__metadata__') ?? '';

const headers: readonly [string, (header: Header, data: Buffer) => string][] = [
  ['nothing', () => ''],
  ['an empty object', () => '{}'],
  ['a list', () => '[]'],
  ['null', () => 'null'],
  ['nesting', () => '{"a":'.repeat(200_000)],
  [
    'a million dimensions',
    (h) => JSON.stringify({ ...h, [first(h)]: { ...h[first(h)], shape: Array(1_000_000).fill(1) } }),
  ],
  [
    'a million dimensions of the right size',
    (h) => {
      const name = 'classifier.bias';
      const shape = [...(h[name]?.shape ?? []), ...Array(1_000_000).fill(1)];
      return JSON.stringify({ ...h, [name]: { ...h[name], shape } });
    },
  ],
  [
    'dimensions beyond whole numbers',
    (h) => JSON.stringify({ ...h, [first(h)]: { ...h[first(h)], shape: [2 ** 60, 2 ** 60] } }),
  ],
  ['a dimension below zero', (h) => JSON.stringify({ ...h, [first(h)]: { ...h[first(h)], shape: [-1, -1] } })],
  [
    'offsets the wrong way round',
    (h) => JSON.stringify({ ...h, [first(h)]: { ...h[first(h)], data_offsets: [100, 0] } }),
  ],
  [
    'an element type that objects inherit',
    (h) => JSON.stringify({ ...h, [first(h)]: { ...h[first(h)], dtype: 'constructor' } }),
  ],
  ['whole numbers for weights', (h) => JSON.stringify({ ...h, [first(h)]: { ...h[first(h)], dtype: 'I32' } })],
  [
    'a tensor more, of no bytes',
    (h) => JSON.stringify({ ...h, extra: { dtype: 'F32', shape: [0], data_offsets: [0, 0] } }),
  ],
  [
    'a name as long as a book',
    (h) => JSON.stringify({ ...h, ['x'.repeat(1_000_000)]: { dtype: 'F32', shape: [0], data_offsets: [0, 0] } }),
  ],
  [
    'an element type as long as a book',
    (h) => JSON.stringify({ ...h, [first(h)]: { ...h[first(h)], dtype: 'F'.repeat(1_000_000) } }),
  ],
  [
    'a hundred thousand tensors of no bytes',
    (h) => {
      const empty = { dtype: 'F32', shape: [0], data_offsets: [0, 0] };
      return JSON.stringify({
        ...h,
        ...Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`t${i}`, empty])),
      });
    },
  ],
  [
    'the same tensor twice',
    (h) =>
      `{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},${JSON.stringify(h).slice(1)}`,
  ],
  ['two tensors on the same bytes', (h) => JSON.stringify({ ...h, copy: h[first(h)] })],
  ['metadata that is no text', (h) => JSON.stringify({ ...h, __metadata__: { a: { b: 1 } } })],
  ['ten million blanks and nothing', () => `{${' '.repeat(10_000_000)}`],
  ['a text that never ends', () => `{"${'\\"'.repeat(3_000_000)}`],
  ['backslashes without end', () => `{"${'\\\\'.repeat(3_000_000)}\\"`],
];

const files: readonly [string, Buffer][] = [
  ['8 bytes of ones', Buffer.alloc(8, 0xff)],
  ['a length beyond the file', Buffer.from('ffffff0000000000', 'hex')],
  ['a length of nothing', Buffer.alloc(8)],
  ['no length', Buffer.alloc(3)],
  ['bytes that are no UTF-8', safetensors(Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), Buffer.alloc(0))],
];

const shards: readonly [string, string][] = [
  ['another folder', '../model-00001-of-00004.safetensors'],
  ['an absolute path', '/etc/passwd'],
  ['a drive', 'C:model.safetensors'],
  ['a file that is no safetensors', 'config.json'],
  ['a name with a zero byte', 'x\0.safetensors'],
  ['a name as long as a book', `${'x'.repeat(1_000_000)}.safetensors`],
  ['nothing', ''],
  ['the index', 'model.safetensors.index.json'],
];

const indices: readonly [string, unknown][] = [
  ['no map', {}],
  ['a list', { weight_map: [] }],
  ['an empty map', { weight_map: {} }],
  ['a number for a file', { weight_map: { a: 5 } }],
];

const tokenizers: readonly [string, (json: Json) => unknown][] = [
  ['of a kind that does not exist', (json) => ({ ...json, model: { ...(json.model as Json), type: 'Nonsense' } })],
  ['without a model', () => ({})],
  ['that is a list', () => []],
  ['with ids below zero', (json) => ({ ...json, model: { ...(json.model as Json), vocab: { a: -1 } } })],
  ['with ids that are fractions', (json) => ({ ...json, model: { ...(json.model as Json), vocab: { a: 0.5 } } })],
  [
    'with an empty vocabulary',
    (json) => ({ ...json, model: { ...(json.model as Json), vocab: {} }, added_tokens: [] }),
  ],
  ['with ids beyond the embedding', (json) => ({ ...json, model: { ...(json.model as Json), vocab: { a: 1e6 } } })],
  ['with an added token beyond the embedding', (json) => ({ ...json, added_tokens: [{ id: 1e6, content: 'x' }] })],
  ['with a normalizer that does not exist', (json) => ({ ...json, normalizer: { type: 'Nonsense' } })],
  [
    'with a pattern that is none',
    (json) => ({
      ...json,
      pre_tokenizer: { type: 'Split', pattern: { Regex: '(' }, behavior: 'Isolated', invert: false },
    }),
  ],
  [
    'with a token as long as a book beyond the embedding',
    (json) => ({
      ...json,
      added_tokens: [{ id: 1e6, content: 'x'.repeat(1_000_000) }],
    }),
  ],
];

const sentences: readonly [string, string, unknown][] = [
  ['a pooling that objects inherit', '1_Pooling/config.json', { pooling_mode: 'constructor' }],
  ['two poolings', '1_Pooling/config.json', { pooling_mode_cls_token: true, pooling_mode_mean_tokens: true }],
  ['no pooling', '1_Pooling/config.json', {}],
  ['no modules', 'modules.json', []],
  ['modules that are none', 'modules.json', { a: 1 }],
  [
    'a module in another folder',
    'modules.json',
    [{ path: '../1_Pooling', type: 'sentence_transformers.models.Pooling' }],
  ],
  ['a module that is unknown', 'modules.json', [{ path: '2_Dense', type: 'sentence_transformers.models.Dense' }]],
  ['texts of one token', 'sentence_bert_config.json', { max_seq_length: 1 }],
  ['texts of no token', 'sentence_bert_config.json', { max_seq_length: 0 }],
];

const withShard = (folder: string, shard: string): void =>
  editJson(`${folder}/model.safetensors.index.json`, (json) => {
    const [name = ''] = Object.keys(json.weight_map as Json);
    return { ...json, weight_map: { ...(json.weight_map as Json), [name]: shard } };
  });

/** Every hostile checkpoint: each is refused with one message, soon. */
export const hostileCheckpoints: readonly HostileCheckpoint[] = [
  ...configs.map(([name, change]) => ({
    name: `config.json with ${name}`,
    golden: 'bert',
    spoil: (folder: string) => editJson(`${folder}/config.json`, (json) => ({ ...json, ...change })),
  })),
  ...headers.map(([name, edit]) => ({
    name: `safetensors with ${name} for a header`,
    golden: 'bert',
    spoil: (folder: string) => editHeader(folder, edit),
  })),
  ...files.map(([name, bytes]) => ({
    name: `safetensors of ${name}`,
    golden: 'bert',
    spoil: (folder: string) => writeFileSync(`${folder}/model.safetensors`, bytes),
  })),
  ...shards.map(([name, shard]) => ({
    name: `an index of shards that points to ${name}`,
    golden: 'bert-features',
    spoil: (folder: string) => withShard(folder, shard),
  })),
  ...indices.map(([name, json]) => ({
    name: `an index of shards that is ${name}`,
    golden: 'bert-features',
    spoil: (folder: string) => writeFileSync(`${folder}/model.safetensors.index.json`, JSON.stringify(json)),
  })),
  ...tokenizers.map(([name, edit]) => ({
    name: `a tokenizer ${name}`,
    golden: 'bert',
    spoil: (folder: string) => editJson(`${folder}/tokenizer.json`, edit),
  })),
  ...sentences.map(([name, file, json]) => ({
    name: `sentence-transformers with ${name}`,
    golden: 'sentence-transformers',
    spoil: (folder: string) => writeFileSync(`${folder}/${file}`, JSON.stringify(json)),
  })),
];
