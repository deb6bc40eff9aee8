import { describe, expect, it } from 'vitest';
import { tokenizerOf } from '../../data/tokenize.ts';
import type { TokenizerJson } from '../../data/tokenizer.ts';
import { risksOf } from '../../data/tokenizers/risks.ts';
import { unknownShare } from '../../data/tokenizers/unknown.ts';
import { golden, tokenizerJsonOf } from './variants.ts';

const LONG = 1_000_000;

/** WordPiece of small words, with some parts changed. */
const changed = (parts: TokenizerJson, model: TokenizerJson = {}): TokenizerJson => {
  const json = tokenizerJsonOf('pre-tokenizer WhitespaceSplit');
  return { ...json, ...parts, model: { ...Object(json.model), ...model } };
};

const doubling = { type: 'Replace', pattern: { String: 'a' }, content: 'aa' };
const times = (count: number) => ({ type: 'Sequence', normalizers: Array.from({ length: count }, () => doubling) });
const split = (Regex: string) => ({ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false });

const bombs: readonly (readonly [string, TokenizerJson, string, RegExp])[] = [
  [
    '24 doublings',
    changed({ normalizer: times(24) }),
    'a',
    /a text of 1 characters \("a"\) .* a normalizer that makes up to 1\.7e\+7 characters of one/,
  ],
  [
    '60 doublings',
    changed({ normalizer: times(60) }),
    'a',
    /took more than \d+ MB of memory|seconds of processor time|gave up/,
  ],
  [
    'a long word',
    changed({}, { max_input_chars_per_word: 1e9 }),
    'a'.repeat(100_000),
    /a text of 100000 characters .* seconds of processor time\. What may take so much: max_input_chars_per_word \(1000000000\)/,
  ],
  [
    'a pattern in a pattern',
    changed({ pre_tokenizer: split('(a+)+$') }),
    `${'a'.repeat(60)}b`,
    // Which limit comes first depends on the machine: the library's own, or that of a piece.
    /(the library gave up on it|seconds of processor time).* the pattern '\(a\+\)\+\$'/,
  ],
  [
    'a pattern of alternatives',
    changed({ pre_tokenizer: split('(a|aa)+$') }),
    `${'a'.repeat(60)}b`,
    /the pattern '\(a\|aa\)\+\$'/,
  ],
  [
    'a pattern of a normalizer',
    changed({ normalizer: { type: 'Replace', pattern: { Regex: '(x+x+)+y' }, content: '' } }),
    'x'.repeat(60),
    /the pattern '\(x\+x\+\)\+y'/,
  ],
];

describe('a tokenizer that makes too much of a short text', () => {
  it.each(bombs)('ends with an error that names text, part and limit: %s', async (_, json, text, message) => {
    const encoder = tokenizerOf(json);
    const some = ['the old dog', 'the', text, 'dog'];
    await expect(encoder.encodeBatch(some, LONG)).rejects.toThrow(message);
  });

  it('is stopped by its signal, too', async () => {
    const encoder = tokenizerOf(changed({ pre_tokenizer: split('(a+)+$') }));
    await expect(encoder.encodeBatch(['a'], LONG, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });

  const added = (count: number, content: (i: number) => string, first: number) =>
    Array.from({ length: count }, (_, i) => ({
      ...{ id: first + i, content: content(i), single_word: false, lstrip: false, rstrip: false },
      ...{ normalized: true, special: false },
    }));
  const letter = (i: number): string => String.fromCodePoint(0x4e00 + i);
  const steps = (count: number, part: object) => ({ type: 'Sequence', normalizers: Array(count).fill(part) });
  const around = { type: 'Replace', pattern: { Regex: '(?=a)' }, content: 'a' };
  const apart = { type: 'Replace', pattern: { String: 'q' }, content: 'r' };

  it.each([
    ['long ones in a normalizer that grows them', times(8), 144, (i: number) => `${'a'.repeat(7000)}${letter(i)}`],
    ['short ones in one that grows them much', times(19), 144, (i: number) => `aa${letter(i)}`],
    ['a look ahead, which takes up no character', steps(18, around), 144, (i: number) => `a${letter(i)}`],
    ['many steps that change nothing', steps(4000, apart), 2000, (i: number) => `word ${letter(i)}`],
  ])('cannot hide in the sum of added tokens: %s', (_, normalizer, count, content) => {
    const { size } = tokenizerOf(changed({}));
    const added_tokens = added(count, content, size);
    expect(() => tokenizerOf(changed({ normalizer, added_tokens }))).toThrow(
      /its normalizer may make millions of characters of the added tokens, most of "(?:a|word)/,
    );
  });

  it('is not seen in the thousands of added tokens of an honest file', async () => {
    const { size } = tokenizerOf(changed({}));
    const normalizer = { type: 'Sequence', normalizers: [{ type: 'NFKC' }, { type: 'Lowercase' }, apart] };
    const added_tokens = added(5000, (i) => `a new word ${letter(i)}`, size);
    expect(
      (await tokenizerOf(changed({ normalizer, added_tokens })).encode(`a new word ${letter(7)}`, LONG)).ids,
    ).toContain(size + 7);
  });

  it('cannot hide behind an added token that is normalised as the file is loaded', async () => {
    const { size } = tokenizerOf(changed({}));
    const token = { content: `${'a'.repeat(60)}c`, single_word: false, lstrip: false, rstrip: false };
    const added_tokens = [{ ...token, id: size, normalized: true, special: false }];
    expect(() => tokenizerOf(changed({ normalizer: times(24), added_tokens }))).toThrow(
      /its normalizer may make millions of characters of the added tokens, most of "aaa/,
    );
    const normalizer = { type: 'Replace', pattern: { Regex: '(?:a|aa)+$' }, content: '' };
    await expect(tokenizerOf(changed({ normalizer, added_tokens })).encode('a', LONG)).rejects.toThrow(
      /\(\?:a\|aa\)\+\$/,
    );
  });

  it.each([
    ...[' {2,}', '\u2581[^\u2581]*', '', 'a+', '\\d', 'x', 'a?b+', '\\w+|[^\\w\\s]+', '[0-9]{1,3}'],
    "'s|'t| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  ])('is none whose pattern is %j', (Regex) => {
    expect(risksOf({ pre_tokenizer: split(Regex) })).toEqual([]);
  });

  it.each(['(?:a+)+b', 'a+b', '(a|a)', 'a{2,}{3}', 'a*a*b', 'a+(?!b)', '[a-z]+$', '\\1', 'a?a?a?a?b', 'x{1,9}y'])(
    'may be one whose pattern is %j',
    (Regex) => {
      const normalizer = { type: 'Sequence', normalizers: [{ type: 'Replace', pattern: { Regex }, content: '' }] };
      expect(risksOf({ normalizer })).toEqual([`the pattern '${Regex}'`]);
    },
  );

  it.each(
    Object.keys(golden.variants).filter((name) =>
      /charsmap|bert|llama|replace (text|spaces|pattern)|byte level/.test(name),
    ),
  )('is none of the usual ones: %s', (name) => {
    expect(risksOf(tokenizerJsonOf(name))).toEqual([]);
  });
});

describe('a tokenizer.json that the library would die of, or pass over in silence, is refused', () => {
  const bpe = Object(golden.models.bpe);
  const wrong: readonly (readonly [string, TokenizerJson, string])[] = [
    [
      'an unknown part',
      changed({ normaliser: null }),
      "normaliser is no part of the format; did you mean 'normalizer'?",
    ],
    [
      'an unknown setting',
      changed({ pre_tokenizer: { type: 'Punctuation', behaviour: 'Removed' } }),
      "pre_tokenizer.behaviour is no setting of Punctuation; did you mean 'behavior'?",
    ],
    [
      'an unknown setting inside',
      changed({
        normalizer: {
          type: 'Sequence',
          normalizers: [{ type: 'Strip', left: true, strip_left: true, strip_right: true }],
        },
      }),
      "normalizer.normalizers[0].left is no setting of Strip; there are: 'strip_left', 'strip_right'",
    ],
    [
      'an unknown kind',
      changed({ normalizer: { type: 'Lowercse' } }),
      'normalizer is of the kind "Lowercse"; did you mean \'Lowercase\'?',
    ],
    [
      'a kind of Object.prototype',
      changed({ normalizer: { type: 'constructor' } }),
      'normalizer is of the kind "constructor"',
    ],
    [
      'a value of another type',
      changed({}, { max_input_chars_per_word: '100' }),
      'model.max_input_chars_per_word is "100"; expected a whole number',
    ],
    [
      'a missing setting',
      changed({ pre_tokenizer: { type: 'Split', pattern: { String: 'a' } } }),
      "pre_tokenizer lacks 'behavior'; expected one of Removed,",
    ],
    [
      'a pattern of two',
      changed({ pre_tokenizer: { ...split('a'), pattern: { String: 'a', Regex: 'b' } } }),
      'pre_tokenizer.pattern is {"String":"a","Regex":"b"}; expected',
    ],
    [
      'an unknown token outside the vocabulary',
      changed({}, { unk_token: '[WHAT]' }),
      'model.unk_token is "[WHAT]", which the vocabulary does not have',
    ],
    [
      'an id that is no number',
      changed({}, { vocab: { '[UNK]': 1, a: 1.5 } }),
      'model.vocab gives "a" the id 1.5; expected a whole number',
    ],
    [
      'merges of other tokens',
      { ...changed({}), model: { ...bpe, merges: [['a', 'zz']] } },
      'model.merges[0] (["a","zz"]) needs the token "zz", which the vocabulary does not have',
    ],
    [
      'merges of one token',
      { ...changed({}), model: { ...bpe, merges: ['ab'] } },
      'model.merges[0] is "ab"; expected two tokens',
    ],
    [
      'merges that are dropped at random',
      { ...changed({}), model: { ...bpe, dropout: 0.1 } },
      'model.dropout is 0.1; expected',
    ],
    [
      'a template of other tokens',
      changed({
        post_processor: {
          type: 'TemplateProcessing',
          single: [{ SpecialToken: { id: '[CLS]', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
          pair: [],
          special_tokens: {},
        },
      }),
      'post_processor.single[0] names "[CLS]", which special_tokens does not have',
    ],
    [
      'a template without its text',
      changed({ post_processor: { type: 'TemplateProcessing', single: [], pair: [], special_tokens: {} } }),
      "post_processor.single holds the texts ''; expected each of A once",
    ],
    [
      'a charsmap that ends early',
      changed({ normalizer: { type: 'Precompiled', precompiled_charsmap: 'AAAA' } }),
      'normalizer.precompiled_charsmap holds 3 bytes, its trie takes 0: the file is damaged',
    ],
    [
      'a charsmap that leads outside',
      changed({
        normalizer: {
          type: 'Precompiled',
          precompiled_charsmap: Buffer.from([4, 0, 0, 0, 255, 255, 255, 255, 65, 66, 67, 0]).toString('base64'),
        },
      }),
      'normalizer.precompiled_charsmap leads to unit ',
    ],
    [
      'an added token without its flags',
      changed({ added_tokens: [{ id: 1, content: 'a' }] }),
      "added_tokens[0] lacks 'single_word'; expected true or false",
    ],
  ];

  it.each(wrong)('%s', (_, json, message) => {
    expect(() => tokenizerOf(json)).toThrow(`tokenizer.json: ${message}`);
  });

  it('an added token whose id leaves a gap', async () => {
    const token = {
      id: 9000,
      content: 'zz',
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    };
    await expect(tokenizerOf(changed({ added_tokens: [token] })).encode('zz', LONG)).rejects.toThrow(
      /added_tokens gives "zz" the id 9000, but it would be \d+: /,
    );
  });

  it('every kind of damage to a charsmap', async () => {
    const charsmap = Buffer.from(golden.charsmaps.nmt_nfkc_cf ?? '', 'base64');
    const tries = Array.from({ length: 30 }, (_, i) => {
      const damaged = Buffer.from(charsmap);
      damaged[4 + ((i * 104_729) % (damaged.length - 4))] = (i * 37) & 0xff;
      return damaged.toString('base64');
    });
    // Whatever passes must not end this process.
    for (const precompiled_charsmap of tries) {
      const json = {
        ...tokenizerJsonOf('charsmap nmt_nfkc_cf'),
        normalizer: { type: 'Precompiled', precompiled_charsmap },
      };
      const said = await Promise.resolve()
        .then(() => tokenizerOf(json).encodeBatch(golden.texts, LONG))
        .catch((error: Error) => error.message);
      expect(typeof said === 'string' ? /damaged/.test(said) : said.length === golden.texts.length).toBe(true);
    }
  });
});

describe('odd texts', () => {
  const names = ['bert', 'model unigram', 'byte level True True', 'one word', 'charsmap nmt_nfkc_cf'];
  it.each(names)('never harm: %s', async (name) => {
    const odd = ['\ud800', '\udc00a\ud800', 'a\u0000b', '', ' ', '\u0000', '\uffff', 'é'.repeat(1000), '\u{10ffff}'];
    const encoded = await tokenizerOf(tokenizerJsonOf(name)).encodeBatch(odd, LONG);
    expect(encoded.every(({ ids }) => ids.length > 0)).toBe(true);
  });

  it('of 150,000 tokens are cut into them', async () => {
    for (const name of ['model unigram', 'bert', 'byte level True True']) {
      const { ids } = await tokenizerOf(tokenizerJsonOf(name)).encode('the dog '.repeat(75_000).trim(), LONG);
      expect(ids.length).toBeGreaterThanOrEqual(150_000);
    }
  });

  it('and usual ones are the same on one thread and on several', async () => {
    const encoder = tokenizerOf(tokenizerJsonOf('charsmap nmt_nfkc_cf'));
    const many = Array.from({ length: 30 }, () => golden.texts).flat();
    const several = await encoder.encodeBatch(many, 12);
    process.env.TOKENIZERS_PARALLELISM = 'false';
    try {
      expect(await encoder.encodeBatch(many, 12)).toEqual(several);
    } finally {
      delete process.env.TOKENIZERS_PARALLELISM;
    }
  });

  it('are told by the share of their tokens that the vocabulary does not hold', async () => {
    const json = tokenizerJsonOf('bert');
    const shareOf = async (text: string) => {
      const encoded = await tokenizerOf(json).encodeBatch([text], LONG);
      return unknownShare(
        json,
        encoded.map(({ ids }) => ids),
      );
    };
    expect(await shareOf('the old dog')).toBe(0);
    expect(await shareOf('the ქართული')).toBe(0.5);
    expect(await shareOf('')).toBe(1);
  });
});
