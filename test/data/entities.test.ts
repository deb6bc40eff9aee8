import fc from 'fast-check';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { dataSchema, load } from '../../data/datasets/index.ts';
import { sniff } from '../../data/datasets/sniff.ts';
import { type Scheme, schemes, toIob2 } from '../../data/targets/iob.ts';
import { placedWords } from '../../data/words.ts';
import { entitiesIn, tagNamed } from '../../ground/metrics/entities.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

interface Span {
  readonly length: number;
  readonly type: string | undefined;
}

/** A text as runs of words, of an entity or of none. */
const runs = fc.array(
  fc.record({ length: fc.integer({ min: 1, max: 3 }), type: fc.constantFrom(undefined, 'PER', 'LOC') }),
  { maxLength: 6 },
);

const marks: Readonly<Record<Scheme, (word: number, length: number, touches: boolean) => string>> = {
  IOB1: (word, _, touches) => (word === 0 && touches ? 'B' : 'I'),
  IOB2: (word) => (word === 0 ? 'B' : 'I'),
  IOBES: (word, length) => (length === 1 ? 'S' : word === 0 ? 'B' : word === length - 1 ? 'E' : 'I'),
  BILOU: (word, length) => (length === 1 ? 'U' : word === 0 ? 'B' : word === length - 1 ? 'L' : 'I'),
};

const written = (spans: readonly Span[], scheme: Scheme): readonly string[] =>
  spans.flatMap(({ length, type }, i) =>
    Array.from({ length }, (_, word) =>
      type === undefined ? 'O' : `${marks[scheme](word, length, spans[i - 1]?.type === type)}-${type}`,
    ),
  );

const located = (tags: readonly string[], name = 'text') => ({ tags, at: (word: number) => `${name}:${word + 1}` });

describe('schemes of tags', () => {
  it.each(schemes)('come to the same tags in IOB2 from %s', (scheme) => {
    fc.assert(
      fc.property(fc.array(runs, { minLength: 1, maxLength: 4 }), (texts) => {
        const own = texts.map((spans) => located(written(spans, scheme)));
        expect(toIob2(own, scheme)).toEqual(texts.map((spans) => written(spans, 'IOB2')));
      }),
    );
  });

  it('are told by the tags of all texts together', () => {
    fc.assert(
      fc.property(fc.array(runs, { minLength: 1, maxLength: 4 }), fc.constantFrom(...schemes), (texts, scheme) => {
        const own = texts.map((spans) => located(written(spans, scheme)));
        const entities = toIob2(own).map((tags) => entitiesIn(tags.map(tagNamed)));
        const wanted = texts.map((spans) => entitiesIn(written(spans, 'IOB2').map(tagNamed)));
        // Where no entity is of several words, and none touches another, schemes may not differ.
        expect(entities).toEqual(wanted);
      }),
    );
  });

  it.each([
    [['B-PER', 'O', 'I-PER'], /^text:3: 'I-PER' follows 'O': an entity begins with B- elsewhere \(text:1: 'B-PER'\)/],
    [['B-PER', 'I-LOC'], /^text:2: 'I-LOC' follows 'B-PER'/],
    [['B-PER', 'I-PER', 'S-LOC'], /^text:3: 'S-LOC' follows 'I-PER': an entity of several words is B-, I-, ..., E-/],
    [['S-PER', 'B-LOC'], /^text:2: the text ends with 'B-LOC'/],
    [['U-PER', 'S-LOC'], /^text:2: 'S-LOC' is of the scheme IOBES, text:1: 'U-PER' of BILOU/],
    [['O', 'PERSON'], /^text:2: 'PERSON' is no tag of an entity; expected O, or B-/],
  ])('are refused at the word that breaks them: %s', (tags, message) => {
    expect(() => toIob2([located(tags)])).toThrow(message);
  });

  it('may be named, and are then the only ones that fit', () => {
    expect(toIob2([located(['I-PER', 'I-PER'])], 'IOB1')).toEqual([['B-PER', 'I-PER']]);
    expect(() => toIob2([located(['I-PER', 'I-PER'])], 'IOB2')).toThrow(
      "text:1: 'I-PER' begins the text: every entity begins with B- in IOB2",
    );
  });
});

describe('the words of a text', () => {
  it('are runs of letters and digits and single marks, with their places in characters', () => {
    const text = 'Dr. Ada 😀 O’Neil-Smith met 東京 (सीता) x²!';
    const words = placedWords(text);
    expect(words.map(({ word }) => word)).toEqual([
      'Dr',
      '.',
      'Ada',
      '😀',
      'O',
      '’',
      'Neil',
      '-',
      'Smith',
      'met',
      '東',
      '京',
      '(',
      'सीता',
      ')',
      'x²',
      '!',
    ]);
    const characters = [...text];
    for (const { word, start, end } of words) expect(characters.slice(start, end).join('')).toBe(word);
  });
});

const SENTENCES = 120;
const people = ['Ada', 'Bob', 'Chen', 'Dana'];
const places = ['Oslo', 'Rome', 'Lima'];

/** A sentence as words with tags, each another one. */
const sentence = (i: number) => ({
  tokens: [people[i % 4] ?? '', `Smith${i}`, 'met', 'us', 'in', places[i % 3] ?? '', '.'],
  tags: ['B-PER', 'I-PER', 'O', 'O', 'O', 'B-LOC', 'O'],
});

const sentences = Array.from({ length: SENTENCES }, (_, i) => sentence(i));

const conll = (separator: string): string =>
  `-DOCSTART- -X- O\n\n${sentences
    .map(({ tokens, tags }, i) =>
      [`# sentence number ${i}`, ...tokens.map((token, w) => [token, 'X', tags[w]].join(separator))].join('\n'),
    )
    .join('\n\n')}\n`;

const spans = (): string =>
  sentences
    .map(({ tokens }) => {
      const text = `${tokens.slice(0, -1).join(' ')}.`;
      const name = tokens.slice(0, 2).join(' ');
      const place = tokens[5] ?? '';
      const at = text.indexOf(place);
      return JSON.stringify({
        text,
        entities: [[at, at + place.length, 'LOC'], { start: 0, end: name.length, label: 'PER' }],
      });
    })
    .join('\n');

const jsonl = (rows: readonly object[]): string => rows.map((row) => JSON.stringify(row)).join('\n');

const names = ['O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC'];
const ids = ({ tags }: (typeof sentences)[number]): readonly number[] => tags.map((tag) => names.indexOf(tag));

const parquet = (): Uint8Array =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'tokens', data: sentences.map(({ tokens }) => tokens) },
        { name: 'ner_tags', data: sentences.map(ids) },
      ],
      schema: [
        { name: 'root', num_children: 2 },
        { name: 'tokens', converted_type: 'LIST', num_children: 1, repetition_type: 'OPTIONAL' },
        { name: 'list', num_children: 1, repetition_type: 'REPEATED' },
        { name: 'element', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
        { name: 'ner_tags', converted_type: 'LIST', num_children: 1, repetition_type: 'OPTIONAL' },
        { name: 'list', num_children: 1, repetition_type: 'REPEATED' },
        { name: 'element', type: 'INT32', repetition_type: 'OPTIONAL' },
      ],
      kvMetadata: [
        {
          key: 'huggingface',
          value: JSON.stringify({
            info: { features: { ner_tags: { _type: 'Sequence', feature: { _type: 'ClassLabel', names } } } },
          }),
        },
      ],
    }),
  );

const task = 'named-entities';

/** The same sentences as users write them. */
const writings: Readonly<Record<string, readonly [file: string, content: string | Uint8Array, options: object]>> = {
  'one word a line': ['a.conll', conll(' '), { uses: 'conll' }],
  'one word a line with tabs between the fields': ['b.txt', conll('\t'), { uses: 'conll' }],
  'lists in JSON Lines': [
    'c.jsonl',
    jsonl(sentences.map(({ tokens, tags }) => ({ tokens, ner_tags: tags }))),
    { uses: 'jsonl', task, text: 'tokens', label: 'ner_tags' },
  ],
  'numbers with names': [
    'd.jsonl',
    jsonl(sentences.map((one) => ({ tokens: one.tokens, ner_tags: ids(one) }))),
    { uses: 'jsonl', task, text: 'tokens', label: 'ner_tags', names },
  ],
  'numbers that Parquet names': ['e.parquet', parquet(), { uses: 'parquet', task, text: 'tokens', label: 'ner_tags' }],
  'spans of characters': ['f.jsonl', spans(), { uses: 'jsonl', task, text: 'text', label: 'entities' }],
  'words and tags with spaces between them': [
    'g.csv',
    `text,tags\n${sentences.map(({ tokens, tags }) => `${tokens.join(' ')},${tags.join(' ')}`).join('\n')}\n`,
    { uses: 'csv', task, label: 'tags' },
  ],
};

const within = async <T>(run: (space: Workspace) => Promise<T>): Promise<T> => {
  using space = workspace();
  return await run(space);
};

const loaded = (file: string, content: string | Uint8Array, options: object) =>
  within(async (space) => {
    space.write(file, content);
    return await load(dataSchema.parse({ file, ...options }), space.folder);
  });

describe('files of named entities', () => {
  it.each(Object.entries(writings))('are read alike: %s', async (_, [file, content, options]) => {
    const { dataset } = await loaded(file, content, options);
    const order = file === 'e.parquet' ? names : ['O', 'B-LOC', 'I-LOC', 'B-PER', 'I-PER'];
    expect([dataset.task, dataset.classes]).toEqual([task, order]);
    const all = [...dataset.train, ...dataset.validation, ...dataset.test];
    expect(all).toHaveLength(SENTENCES);
    const tagsOf = new Map(sentences.map(({ tokens, tags }) => [tokens.join(' '), tags]));
    for (const { text, target } of all) {
      expect(Array.isArray(target) && target.map((tag) => dataset.classes[tag])).toEqual(tagsOf.get(text));
    }
  });

  it.each(Object.entries(writings).filter(([name]) => name !== 'numbers with names'))(
    'are recognised: %s',
    async (_, [file, content, options]) => {
      const guess = await within(async (space) => {
        space.write(file, content);
        return await sniff(space.path(file));
      });
      const { uses, text, label } = dataSchema.parse({ file, ...options }) as {
        readonly uses: string;
        readonly text: string;
        readonly label: string;
      };
      expect(guess.uses).toBe(uses);
      if (uses === 'csv') return;
      const marks = file === 'f.jsonl' ? 'spans' : 'entities';
      expect(guess.words?.[0]).toEqual({ text, label, marks, areNumbers: false });
    },
  );

  it('keep the lines of a broken sequence in the message', async () => {
    const broken = conll(' ').replace('us X O', 'us X I-LOC');
    await expect(loaded('a.conll', broken, { uses: 'conll' })).rejects.toThrow(
      /^a\.conll:7: 'I-LOC' follows 'O': an entity begins with B- elsewhere \(a\.conll:4: 'B-PER'\)/,
    );
  });

  it.each([
    ['a.conll', 'Ada B-PER\nmet\nBob B-PER\n', { uses: 'conll' }, 'a.conll:2: the line has 1 field, the sentence 2'],
    ['a.conll', 'Ada B-PER\n', { uses: 'conll', label: '3' }, "a.conll:1: there is no column '3'"],
    [
      'a.jsonl',
      jsonl([{ tokens: ['Ada', 'met'], tags: ['B-PER'] }, sentence(1)]),
      { uses: 'jsonl', task, text: 'tokens', label: 'tags' },
      'a.jsonl:1: there are 2 words and 1 tags; expected one tag a word',
    ],
    [
      'a.jsonl',
      jsonl([{ tokens: ['Ada', 'in York'], tags: ['B-PER', 'O'] }, sentence(1)]),
      { uses: 'jsonl', task, text: 'tokens', label: 'tags' },
      'a.jsonl:1, word 2: "in York" has a space in it',
    ],
    [
      'a.jsonl',
      jsonl([{ tokens: ['Ada'], tags: [1] }, sentence(1)]),
      { uses: 'jsonl', task, text: 'tokens', label: 'tags' },
      "a.jsonl:1: 'tags' has numbers; say what they stand for: names:",
    ],
    [
      'a.jsonl',
      jsonl([{ tokens: ['Ada'], tags: [7] }, sentence(1)]),
      { uses: 'jsonl', task, text: 'tokens', label: 'tags', names },
      "a.jsonl:1: 'tags' has the number 7; 'names' lists 5 classes, 0 to 4",
    ],
    [
      'a.jsonl',
      jsonl([{ text: 'Ada met us', entities: [[0, 2, 'PER']] }]),
      { uses: 'jsonl', task, text: 'text', label: 'entities' },
      'a.jsonl:1: the span "Ad" [0, 2, "PER"] cuts the word "Ada" [0, 3]',
    ],
    [
      'a.jsonl',
      jsonl([{ text: 'Ada met us', entities: [[0, 30, 'PER']] }]),
      { uses: 'jsonl', task, text: 'text', label: 'entities' },
      'ends behind the text, which has 10 characters',
    ],
    [
      'a.jsonl',
      jsonl([
        {
          text: 'Ada met us',
          entities: [
            [0, 7, 'PER'],
            [4, 7, 'X'],
          ],
        },
      ]),
      { uses: 'jsonl', task, text: 'text', label: 'entities' },
      'the span "met" [4, 7, "X"] overlaps another one',
    ],
    [
      'a.jsonl',
      jsonl([{ text: 'Ada met us', entities: [{ from: 0, to: 3 }] }]),
      { uses: 'jsonl', task, text: 'text', label: 'entities' },
      'expected {"start": 0, "end": 5, "label": "PER"}',
    ],
  ])('are refused with their place: %s %#', async (file, content, options, message) => {
    await expect(loaded(file, content, options)).rejects.toThrow(message);
  });

  it('count characters, not units of UTF-16, as Python does', async () => {
    const rows = sentences.map((_, i) => ({
      text: `😀${i} Ada met us`,
      entities: [[`😀${i} `.length - 1, `😀${i} Ada`.length - 1, 'PER']],
    }));
    const { dataset } = await loaded('a.jsonl', jsonl(rows), { uses: 'jsonl', task, text: 'text', label: 'entities' });
    for (const { text, target } of dataset.test) {
      const tagged = text.split(' ').filter((_, w) => Array.isArray(target) && target[w] !== 0);
      expect(tagged).toEqual(['Ada']);
    }
  });
});

describe('classes of words', () => {
  it('are read from lists, too, in no scheme', async () => {
    const rows = sentences.map(({ tokens }) => ({
      tokens,
      upos: tokens.map((word) => (/^[A-Z]/.test(word) ? 'NOUN' : 'X')),
    }));
    const options = { uses: 'jsonl', task: 'token-classification', text: 'tokens', label: 'upos' };
    const { dataset } = await loaded('a.jsonl', jsonl(rows), options);
    expect(dataset.classes).toEqual(['NOUN', 'X']);
    expect(dataset.train[0]?.text.split(' ')).toHaveLength(7);
  });

  it('take no scheme, and other tasks no names', () => {
    const issue = (given: object) =>
      dataSchema.safeParse({ uses: 'jsonl', file: 'a.jsonl', ...given }).error?.issues[0]?.message;
    expect(issue({ task: 'token-classification', scheme: 'IOB2' })).toContain("expected no 'scheme' with task");
    expect(issue({ names: ['a', 'b'] })).toContain("expected no 'names' with task");
    expect(issue({ task, text: ['a', 'b'] })).toContain('expected one column with task');
  });
});
