import { type Stream, stream } from '../../../data/random.ts';

type Json = Readonly<Record<string, unknown>>;

/** A tokenizer.json made from a sound one to cost far more than it weighs. */
export interface Bomb {
  readonly name: string;
  readonly spoil: (json: Json) => unknown;
}

const times = <T>(count: number, make: (i: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, i) => make(i));

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null;
const modelOf = ({ model }: Json): Json => (isJson(model) ? model : {});
const vocabularyOf = (json: Json): Json => {
  const { vocab } = modelOf(json);
  return isJson(vocab) ? vocab : {};
};

const withModel =
  (change: (model: Json, json: Json) => Json) =>
  (json: Json): Json => ({
    ...json,
    model: { ...modelOf(json), ...change(modelOf(json), json) },
  });
const withPart =
  (name: string, part: unknown) =>
  (json: Json): Json => ({ ...json, [name]: part });

/** A part within a part, so often. */
const nested = (inner: unknown, key: string, depth: number): unknown =>
  times(depth, (i) => i).reduce<unknown>((part) => ({ type: 'Sequence', [key]: [part] }), inner);

const replace = (pattern: object, content: string) => ({ type: 'Replace', pattern, content });
const split = (pattern: string, behavior = 'Isolated') => ({
  ...{ type: 'Split', pattern: { Regex: pattern }, behavior, invert: false },
});

const added = (id: number, content: string, rest: Json = {}) => ({
  ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: false },
  ...rest,
});
const withAdded =
  (make: (json: Json) => readonly unknown[]) =>
  (json: Json): Json => ({
    ...json,
    added_tokens: [...(Array.isArray(json.added_tokens) ? json.added_tokens : []), ...make(json)],
  });

/** The special tokens of the sound file's template, and texts among them. */
const template = (single: readonly unknown[], pair: readonly unknown[], ids: readonly number[] = [2]) => ({
  type: 'TemplateProcessing',
  single,
  pair,
  special_tokens: { X: { id: 'X', ids, tokens: ids.map(() => '[CLS]') } },
});
const special = { SpecialToken: { id: 'X', type_id: 0 } };
const text = (id: 'A' | 'B') => ({ Sequence: { id, type_id: 0 } });

const bpe = (vocab: Json, merges: readonly unknown[], rest: Json = {}): Json => ({
  ...{ type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null },
  ...{ fuse_unk: false, byte_fallback: false, vocab, merges, ...rest },
});

const numbered = (tokens: readonly string[]): Json => Object.fromEntries(tokens.map((token, i) => [token, i]));
const powers = (count: number): readonly string[] => times(count, (i) => 'a'.repeat(2 ** i));

const normalizers: readonly (readonly [string, unknown])[] = [
  ['that doubles 40 times', { type: 'Sequence', normalizers: times(40, () => replace({ String: 'a' }, 'aa')) }],
  ['that doubles 40 times, each a Sequence of its own', nestedDoubling(6)],
  ['that puts a million letters before each text', { type: 'Prepend', prepend: 'a'.repeat(1_000_000) }],
  ['that puts a thousand letters before it, a thousand times', prepending(1000, 1000)],
  ['that makes ten million letters of one', replace({ String: 'a' }, 'b'.repeat(10_000_000))],
  ['that replaces nothing by much', replace({ String: '' }, 'b'.repeat(100_000))],
  ['that replaces what may be nothing', replace({ Regex: 'x*' }, 'b'.repeat(100_000))],
  ['of ten thousand parts', { type: 'Sequence', normalizers: times(10_000, () => ({ type: 'NFKD' })) }],
  [
    'of a hundred thousand replacements',
    { type: 'Sequence', normalizers: times(100_000, (i) => replace({ String: `q${i}` }, 'b')) },
  ],
  ['nested a thousand deep', nested({ type: 'NFC' }, 'normalizers', 1000)],
  ['nested nearly a thousand deep', nested({ type: 'NFC' }, 'normalizers', 900)],
  ['whose pattern backtracks', replace({ Regex: '(a+)+$' }, 'b')],
  ['whose pattern backtracks over two groups', replace({ Regex: '(a|aa)+b' }, 'b')],
  ['whose pattern repeats a million times', replace({ Regex: '((a{1000}){1000}){1000}' }, 'b')],
  ['whose pattern is a million letters long', replace({ Regex: 'a?'.repeat(500_000) }, 'b')],
  ['whose pattern is nested', replace({ Regex: '('.repeat(50_000) + ')'.repeat(50_000) }, 'b')],
  ['whose pattern calls itself', replace({ Regex: '(?<x>a\\g<x>?b)' }, 'b')],
  ['whose pattern looks back', replace({ Regex: '(?<=a|bc|def)(?<!x)(.)\\1+' }, 'b')],
  ['that strips, of a charsmap of nothing', { type: 'Precompiled', precompiled_charsmap: '' }],
  ['of a charsmap that promises gigabytes', { type: 'Precompiled', precompiled_charsmap: '////fw==' }],
  ['of a charsmap of zeros', { type: 'Precompiled', precompiled_charsmap: 'A'.repeat(4_000_000) }],
];

function nestedDoubling(depth: number): unknown {
  const doubling = replace({ String: 'a' }, 'aa');
  return times(depth, (i) => i).reduce<unknown>((part) => ({ type: 'Sequence', normalizers: [part, part] }), {
    type: 'Sequence',
    normalizers: [doubling],
  });
}

function prepending(letters: number, count: number): unknown {
  return { type: 'Sequence', normalizers: times(count, () => ({ type: 'Prepend', prepend: 'a'.repeat(letters) })) };
}

const preTokenizers: readonly (readonly [string, unknown])[] = [
  ['whose pattern backtracks', split('(a*)*$')],
  ['whose pattern backtracks over everything', split('(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)z')],
  ['whose pattern matches nothing', split('')],
  ['whose pattern matches nothing, merged', split('x*', 'MergedWithPrevious')],
  ['nested a thousand deep', nested({ type: 'Whitespace' }, 'pretokenizers', 1000)],
  ['of ten thousand parts', { type: 'Sequence', pretokenizers: times(10_000, () => ({ type: 'Whitespace' })) }],
  [
    'of a hundred thousand parts',
    { type: 'Sequence', pretokenizers: times(100_000, () => ({ type: 'WhitespaceSplit' })) },
  ],
  ['of a thousand ByteLevels', byteLevels(1000)],
  ['of forty ByteLevels', byteLevels(40)],
  ['of a thousand Metaspaces', metaspaces(1000)],
  ['that splits at no length', { type: 'FixedLength', length: 0 }],
  ['that splits at more than there is', { type: 'FixedLength', length: 2 ** 53 }],
  ['of a delimiter of many letters', { type: 'CharDelimiterSplit', delimiter: 'ab'.repeat(100_000) }],
  [
    'of a replacement of many letters',
    { type: 'Metaspace', replacement: '▁'.repeat(100_000), prepend_scheme: 'always', split: true },
  ],
];

function byteLevels(count: number): unknown {
  const level = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: false };
  return { type: 'Sequence', pretokenizers: times(count, () => level) };
}

function metaspaces(count: number): unknown {
  const space = { type: 'Metaspace', replacement: 'a', prepend_scheme: 'always', split: false };
  return { type: 'Sequence', pretokenizers: times(count, () => space) };
}

const postProcessors: readonly (readonly [string, unknown])[] = [
  [
    'of a template of a hundred thousand tokens',
    template([...times(100_000, () => special), text('A')], [text('A'), text('B')]),
  ],
  [
    'of a template that repeats the text',
    template(
      times(100_000, () => text('A')),
      [text('A'), text('B')],
    ),
  ],
  [
    'of a token of a hundred thousand ids',
    template(
      [special, text('A')],
      [text('A'), text('B')],
      times(100_000, () => 2),
    ),
  ],
  [
    'of many tokens of many ids',
    template(
      [...times(1000, () => special), text('A')],
      [text('A'), text('B')],
      times(10_000, () => 2),
    ),
  ],
  ['of ids beyond the embedding', template([special, text('A')], [text('A'), text('B')], [4_294_967_295])],
  ['of ids beyond 32 bits', template([special, text('A')], [text('A'), text('B')], [2 ** 32])],
  [
    'of types beyond the embedding',
    template([{ SpecialToken: { id: 'X', type_id: 4_294_967_295 } }, text('A')], [text('A'), text('B')]),
  ],
  ['of types beyond 32 bits', template([{ Sequence: { id: 'A', type_id: 2 ** 32 } }], [text('A'), text('B')])],
  [
    'nested ten thousand deep',
    nested({ type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true }, 'processors', 1000),
  ],
  [
    'of a thousand templates',
    {
      type: 'Sequence',
      processors: times(1000, () => template([special, text('A'), special], [text('A'), text('B')])),
    },
  ],
  [
    'of a token that objects inherit',
    { ...template([{ SpecialToken: { id: 'constructor', type_id: 0 } }, text('A')], [text('A'), text('B')]) },
  ],
];

const tokens: readonly (readonly [string, Bomb['spoil']])[] = [
  ['a hundred thousand added tokens', withAdded(() => times(100_000, (i) => added(100 + i, `added${i}`)))],
  ['a hundred thousand added tokens of one id', withAdded(() => times(100_000, (i) => added(5, `added${i}`)))],
  ['a hundred thousand times one added token', withAdded(() => times(100_000, () => added(5, 'the same')))],
  [
    "added tokens that are each other's beginning",
    withAdded(() => times(3000, (i) => added(100 + i, 'a'.repeat(i + 1)))),
  ],
  [
    'added tokens that normalize to megabytes',
    (json) =>
      withAdded(() => times(40, (i) => added(100 + i, 'a'.repeat(1000 + i), { normalized: true })))({
        ...json,
        normalizer: { type: 'Sequence', normalizers: times(12, () => replace({ String: 'a' }, 'aa')) },
      }),
  ],
  ['an added token of nothing', withAdded(() => [added(5, '')])],
  [
    'an added token of nothing that strips both sides',
    withAdded(() => [added(5, '', { lstrip: true, rstrip: true, normalized: true })]),
  ],
  ['an added token of blanks', withAdded(() => [added(5, ' '.repeat(100_000), { lstrip: true, rstrip: true })])],
  ['an added token of ten million letters', withAdded(() => [added(5, 'x'.repeat(10_000_000))])],
  ['an added token at the end of 32 bits', withAdded(() => [added(4_294_967_295, 'last')])],
  ['an added token beyond 32 bits', withAdded(() => [added(4_294_967_296, 'last')])],
  ['an added token beyond whole numbers', withAdded(() => [added(2 ** 60, 'last')])],
  ['an id that is no number', withAdded(() => [added(Number.NaN, 'last')])],
];

const vocabularies: readonly (readonly [string, Bomb['spoil']])[] = [
  [
    'a million tokens',
    withModel(() => ({ vocab: Object.fromEntries(times(1_000_000, (i) => [i === 1 ? '[UNK]' : `w${i}`, i])) })),
  ],
  [
    'a million tokens of one id',
    withModel((_, json) => ({
      vocab: { ...vocabularyOf(json), ...Object.fromEntries(times(1_000_000, (i) => [`w${i}`, 5])) },
    })),
  ],
  ['an id at the end of 32 bits', withModel((_, json) => ({ vocab: { ...vocabularyOf(json), text: 4_294_967_295 } }))],
  ['an id near 31 bits', withModel((_, json) => ({ vocab: { ...vocabularyOf(json), text: 2_147_483_648 } }))],
  [
    'ids that are spread over 32 bits',
    withModel((_, json) => ({
      vocab: { ...vocabularyOf(json), ...Object.fromEntries(times(1000, (i) => [`w${i}`, 4_000_000 * i])) },
    })),
  ],
  [
    'a token of ten million letters',
    withModel((_, json) => ({ vocab: { ...vocabularyOf(json), ['x'.repeat(10_000_000)]: 5 } })),
  ],
  [
    'tokens that objects inherit',
    withModel((_, json) => ({ vocab: { ...vocabularyOf(json), constructor: 5, toString: 6, hasOwnProperty: 7 } })),
  ],
  ['words of any length', withModel(() => ({ max_input_chars_per_word: 1e9 }))],
  ['words of more than any length', withModel(() => ({ max_input_chars_per_word: Number.MAX_SAFE_INTEGER }))],
  ['words of 2 ** 64 letters', withModel(() => ({ max_input_chars_per_word: 2 ** 64 }))],
  ['a prefix of a million letters', withModel(() => ({ continuing_subword_prefix: '#'.repeat(1_000_000) }))],
  [
    'merges that double',
    withPart(
      'model',
      bpe(
        numbered(powers(20)),
        times(19, (i) => [powers(20)[i], powers(20)[i]]),
      ),
    ),
  ],
  [
    'a hundred thousand merges',
    withPart(
      'model',
      bpe(
        numbered(['a', ...times(100_000, (i) => `b${i}`), ...times(100_000, (i) => `ab${i}`)]),
        times(100_000, (i) => `a b${i}`),
      ),
    ),
  ],
  [
    'a hundred thousand times one merge',
    withPart(
      'model',
      bpe(
        numbered(['a', 'aa']),
        times(100_000, () => ['a', 'a']),
      ),
    ),
  ],
  [
    'merges of what is not there',
    withPart(
      'model',
      bpe(
        numbered(['a', 'b']),
        times(100_000, (i) => `a b${i}`),
      ),
    ),
  ],
  [
    'a merge of a million letters',
    withPart(
      'model',
      bpe(numbered(['a', 'b', 'a'.repeat(1_000_000)]), [['a'.repeat(1_000_000), 'a'.repeat(1_000_000)]]),
    ),
  ],
  [
    'bytes that are not there to fall back to',
    withPart('model', bpe(numbered(['a']), [], { byte_fallback: true, unk_token: 'a', fuse_unk: true })),
  ],
  [
    'bytes that fall back to bytes',
    withPart(
      'model',
      bpe(numbered(times(256, (i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`)), [], {
        byte_fallback: true,
      }),
    ),
  ],
  ['dropout of everything', withPart('model', bpe(numbered(['a', 'aa']), [['a', 'a']], { dropout: 1 }))],
  [
    'a suffix of a million letters',
    withPart('model', bpe(numbered(['a', 'b']), [], { end_of_word_suffix: 'x'.repeat(1_000_000) })),
  ],
  [
    'pieces whose scores are no numbers',
    withPart('model', {
      type: 'Unigram',
      unk_id: 0,
      vocab: [
        ['<unk>', null],
        ['a', 1e308],
        ['b', -1e308],
      ],
      byte_fallback: false,
    }),
  ],
  [
    'pieces whose scores overflow',
    withPart('model', {
      type: 'Unigram',
      unk_id: 0,
      vocab: [
        ['<unk>', 0],
        ['a', 1e308],
        ['t', 1e308],
        ['te', -1e308],
      ],
      byte_fallback: false,
    }),
  ],
  [
    'an unknown piece beyond the others',
    withPart('model', { type: 'Unigram', unk_id: 4_294_967_295, vocab: [['<unk>', 0]], byte_fallback: false }),
  ],
  [
    'pieces that all begin alike',
    withPart('model', {
      type: 'Unigram',
      unk_id: 0,
      vocab: [['<unk>', 0], ...times(5000, (i) => ['a'.repeat(i + 1), -i])],
      byte_fallback: false,
    }),
  ],
  [
    'a hundred thousand times one piece',
    withPart('model', {
      type: 'Unigram',
      unk_id: 0,
      vocab: [['<unk>', 0], ...times(100_000, () => ['a', -1])],
      byte_fallback: false,
    }),
  ],
  ['no pieces', withPart('model', { type: 'Unigram', unk_id: null, vocab: [], byte_fallback: false })],
  ['words without an unknown one', withPart('model', { type: 'WordLevel', vocab: { a: 0 }, unk_token: 'missing' })],
];

const rest: readonly (readonly [string, Bomb['spoil']])[] = [
  [
    'truncation to nothing',
    withPart('truncation', { direction: 'Right', max_length: 0, strategy: 'LongestFirst', stride: 0 }),
  ],
  [
    'truncation whose windows do not move',
    withPart('truncation', { direction: 'Right', max_length: 4, strategy: 'LongestFirst', stride: 4 }),
  ],
  [
    'truncation of many windows',
    withPart('truncation', { direction: 'Right', max_length: 5, strategy: 'LongestFirst', stride: 2 }),
  ],
  [
    'padding to a billion tokens',
    withPart('padding', {
      strategy: { Fixed: 1_000_000_000 },
      direction: 'Right',
      pad_to_multiple_of: null,
      pad_id: 0,
      pad_type_id: 0,
      pad_token: '[PAD]',
    }),
  ],
  [
    'padding to multiples of a billion',
    withPart('padding', {
      strategy: 'BatchLongest',
      direction: 'Right',
      pad_to_multiple_of: 1_000_000_000,
      pad_id: 0,
      pad_type_id: 0,
      pad_token: '[PAD]',
    }),
  ],
  [
    'padding to multiples of nothing',
    withPart('padding', {
      strategy: 'BatchLongest',
      direction: 'Right',
      pad_to_multiple_of: 0,
      pad_id: 0,
      pad_type_id: 0,
      pad_token: '[PAD]',
    }),
  ],
  ['a decoder nested a thousand deep', withPart('decoder', nested({ type: 'Fuse' }, 'decoders', 1000))],
  ['a decoder of a pattern that backtracks', withPart('decoder', replace({ Regex: '(a+)+$' }, 'b'))],
  ['another version', withPart('version', '99.0')],
  [
    'keys that objects inherit',
    (json) => JSON.parse(`{"__proto__":{"a":1},"constructor":1,${JSON.stringify(json).slice(1)}`),
  ],
  ['a key as long as a book', (json) => ({ ...json, ['x'.repeat(1_000_000)]: 1 })],
];

const called = (where: string, bombs: readonly (readonly [string, Bomb['spoil']])[]): readonly Bomb[] =>
  bombs.map(([name, spoil]) => ({ name: `tokenizer.json with ${where}${name}`, spoil }));
const parts = (name: string, where: string, bombs: readonly (readonly [string, unknown])[]): readonly Bomb[] =>
  called(
    `${where} `,
    bombs.map(([bomb, part]) => [bomb, withPart(name, part)] as const),
  );

/** Tokenizers that cost far more than they weigh, each by one thing. */
export const tokenizerBombs: readonly Bomb[] = [
  ...parts('normalizer', 'a normalizer', normalizers),
  ...parts('pre_tokenizer', 'a pre-tokenizer', preTokenizers),
  ...parts('post_processor', 'a post-processor', postProcessors),
  ...called('', tokens),
  ...called('', vocabularies),
  ...called('', rest),
];

/** Several of them at once: what each does alone may pass where the others lead past its check. */
export const mixedBomb = (seed: number): Bomb => {
  const random: Stream = stream(seed, 'bombs');
  const chosen = times(2 + random.integer(3), () => tokenizerBombs[random.integer(tokenizerBombs.length)]).filter(
    (bomb) => bomb !== undefined,
  );
  return {
    name: chosen.map(({ name }) => name).join(' and '),
    spoil: (json) =>
      chosen.reduce<Json>((all, { spoil }) => {
        const next = spoil(all);
        return isJson(next) ? next : all;
      }, json),
  };
};
