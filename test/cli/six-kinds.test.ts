import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import {
  AutoModelForSequenceClassification,
  AutoTokenizer,
  pipeline as clientPipeline,
  env,
} from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import { serve } from '../clients/server.ts';
import { browserTitle, hasBrowser, launchBrowser, PATIENCE_MS } from '../rig/browser.ts';
import { decant } from '../rig/cli.ts';
import { smallScale } from '../rig/small-scale.ts';
import { workspace } from '../rig/workspace.ts';

/** Share of a number by which other sums over the same bytes may differ. */
const ROUNDING = 1e-3;

/** Whole pipelines, on a machine that may be busy. */
const LONGEST_MS = 900_000;

/** What was said of a text: numbers by what they are of. */
type Said = Readonly<Record<string, number>>;

interface Given {
  readonly text: string;
  readonly pair?: string;
}

/** A kind of file that people have. */
interface Kind {
  readonly file: string;
  readonly content: string;
  /** What init says that it found. */
  readonly found: string;
  /** Updates of each training: enough that there is something to say. */
  readonly steps?: number;
  readonly given: readonly Given[];
  /** An answer of `decant predict --json`. */
  own(answer: unknown): Said;
  /** The same of transformers.js, with the exported folder. */
  theirs(folder: string, given: readonly Given[]): Promise<readonly Said[]>;
}

const random = stream(6, 'six kinds');
const pick = <T>(list: readonly T[]): T => {
  const one = list[random.integer(list.length)];
  if (one === undefined) throw new Error('there is nothing to pick');
  return one;
};
const times = <T>(count: number, make: (i: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const get = (of: unknown, key: string): unknown => Reflect.get(Object(of), key);
const listIn = (of: unknown, key: string): readonly unknown[] => {
  const list = get(of, key);
  return Array.isArray(list) ? list : [];
};

/** Probabilities by class. */
const ownClasses = (answer: unknown): Said =>
  Object.fromEntries(
    listIn(answer, 'classes').map((one) => [String(get(one, 'label')), Number(get(one, 'probability'))]),
  );

const theirClasses: Kind['theirs'] = async (folder, given) => {
  const run = await clientPipeline('text-classification', folder, { local_files_only: true });
  const said: Said[] = [];
  for (const { text } of given) {
    const classes = [await run(text, { top_k: null })].flat(2);
    said.push(Object.fromEntries(classes.map(({ label, score }) => [label, score])));
  }
  await run.dispose();
  return said;
};

/** What README.md of the folder says to do where no pipeline does it: tokenizer and model by themselves. */
const theirLogits = async (folder: string, given: readonly Given[]): Promise<readonly (readonly number[])[]> => {
  const tokenizer = await AutoTokenizer.from_pretrained(folder, { local_files_only: true });
  const model = await AutoModelForSequenceClassification.from_pretrained(folder, { local_files_only: true });
  const said: (readonly number[])[] = [];
  for (const { text, pair } of given) {
    const encoded = tokenizer(text, { ...(pair === undefined ? {} : { text_pair: pair }), truncation: true });
    const { logits } = await model(encoded);
    said.push(Array.from(logits.data, Number));
  }
  await model.dispose();
  return said;
};

const theirPairs: Kind['theirs'] = async (folder, given) => {
  const { id2label } = JSON.parse(readFileSync(`${folder}/config.json`, 'utf8'));
  return (await theirLogits(folder, given)).map((logits) => {
    const exponentials = logits.map(Math.exp);
    const sum = exponentials.reduce((a, b) => a + b, 0);
    return Object.fromEntries(exponentials.map((x, c) => [String(id2label[c]), x / sum]));
  });
};

const plain = (text: unknown): string => String(text).toLowerCase().replace(/\s/g, '');

/** Entities in their order; how sure each is, two programs take from other tokens. */
const entitiesSaid = (named: readonly (readonly [unknown, unknown])[]): Said =>
  Object.fromEntries(named.map(([type, text], i) => [`${i} ${type} ${plain(text)}`, 1]));

const ownEntities = (answer: unknown): Said =>
  entitiesSaid(listIn(answer, 'entities').map((one) => [get(one, 'label'), get(one, 'text')]));

const theirEntities: Kind['theirs'] = async (folder, given) => {
  const run = await clientPipeline('token-classification', folder, { local_files_only: true });
  const said: Said[] = [];
  for (const { text } of given) {
    const groups = [await run(text, { aggregation_strategy: 'simple' })].flat(2);
    said.push(entitiesSaid(groups.map((one) => [get(one, 'entity_group'), one.word])));
  }
  await run.dispose();
  return said;
};

const queues = {
  billing: ['I was charged twice', 'the invoice is wrong', 'please refund my payment'],
  delivery: ['the parcel has not arrived', 'the courier lost my box', 'it was sent to another town'],
  returns: ['it came broken', 'the colour is not mine, take it back', 'one part is missing'],
} as const;
const queueNames = ['billing', 'delivery', 'returns'] as const;
const names = ['Ada', 'Ben', 'Carla', 'Deniz', 'Elif', 'Finn'] as const;

/** A ticket as people write them: several lines, quotes and commas in it. */
const ticket = (i: number): readonly [string, string, string] => {
  const queue = pick(queueNames);
  const lines = [
    `Hello,`,
    '',
    `${pick(queues[queue])}; order ${1000 + i}.`,
    `They said "soon", twice.`,
    '',
    pick(names),
  ];
  return [`T-${i}`, lines.join(i % 2 === 0 ? '\n' : '\r\n'), queue];
};

const tickets = times(180, ticket);

const cities = ['Oslo', 'Lyon', 'Graz', 'Kyoto', 'Leeds', 'Porto'] as const;

/** Words with their tags, one sentence. */
const sentence = (): readonly (readonly [string, string])[] => {
  const [name, city] = [pick(names), pick(cities)];
  const who = [[name, 'B-PER']] as const;
  const where = [[city, 'B-LOC']] as const;
  return pick<readonly (readonly [string, string])[]>([
    [...who, ['lives', 'O'], ['in', 'O'], ...where],
    [['we', 'O'], ['met', 'O'], ...who, ['near', 'O'], ...where],
    [['from', 'O'], ...where, ['wrote', 'O'], ...who, ['again', 'O']],
  ]);
};

const sentences = times(200, sentence);
const entityTexts = ['Ada lives in Oslo', 'we met Finn near Kyoto'].map((text) => ({ text }));

/** The same sentences as texts with spans. */
const spans = sentences.map((words) => {
  const entities: object[] = [];
  let text = '';
  for (const [word, tag] of words) {
    if (text !== '') text += ' ';
    if (tag !== 'O') entities.push({ start: text.length, end: text.length + word.length, label: tag.slice(2) });
    text += word;
  }
  return JSON.stringify({ text, entities });
});

const topics = { food: 'bread', sport: 'goal', travel: 'train' } as const;

const mail = (i: number): string => {
  const of = (['food', 'sport', 'travel'] as const).filter(() => random.uniform() < 0.4);
  return `${quoted(`we saw ${of.map((topic) => topics[topic]).join(' and ')}\nin town ${i}`)},${of.join(';')}`;
};

const rating = (i: number): string => {
  const [good, bad] = [random.integer(4), random.integer(4)];
  return `${'lovely '.repeat(good)}${'poor '.repeat(bad)}place number ${i},${(5 + 1.5 * good - 1.25 * bad).toFixed(2)}`;
};

const claim = (i: number): string => {
  const [one, other] = [pick(cities), pick(cities)];
  return `${i} people live in ${one},they live in ${other},${one === other ? 'same' : 'different'}`;
};

const lines = (head: string, count: number, row: (i: number) => string): string =>
  `${[head, ...times(count, row)].join('\n')}\n`;

const kinds: Readonly<Record<string, Kind>> = {
  'tickets with line breaks': {
    file: 'tickets.csv',
    content: lines('id,body,category', tickets.length, (i) => (tickets[i] ?? []).map(quoted).join(',')),
    found: 'texts from column "body", classes from column "category"',
    steps: 8,
    given: tickets.slice(0, 3).map(([, text]) => ({ text })),
    ...{ own: ownClasses, theirs: theirClasses },
  },
  CoNLL: {
    file: 'train.conll',
    content: `-DOCSTART- -X- O\n\n${sentences.map((words) => words.map(([word, tag]) => `${word} NN ${tag}`).join('\n')).join('\n\n')}\n`,
    found: 'named entities from column "last"',
    steps: 30,
    given: entityTexts,
    ...{ own: ownEntities, theirs: theirEntities },
  },
  'JSON Lines with spans': {
    file: 'spans.jsonl',
    content: `${spans.join('\n')}\n`,
    found: 'named entities from column "entities"',
    steps: 30,
    given: entityTexts,
    ...{ own: ownEntities, theirs: theirEntities },
  },
  'several classes a text': {
    file: 'mails.csv',
    content: lines('text,labels', 200, mail),
    found: 'several classes a text from column "labels"',
    given: [{ text: 'we saw bread and train\nin town' }, { text: 'we saw goal in town' }],
    ...{ own: ownClasses, theirs: theirClasses },
  },
  scores: {
    file: 'ratings.csv',
    content: lines('review,rating', 200, rating),
    found: 'numbers from column "rating"',
    given: [{ text: 'lovely lovely place' }, { text: 'poor place' }, ...entityTexts.slice(0, 1)],
    own: (answer) => ({ score: Number(get(answer, 'score')) }),
    theirs: async (folder, given) =>
      (await theirLogits(folder, given)).map(([score]) => ({ score: score ?? Number.NaN })),
  },
  pairs: {
    file: 'claims.csv',
    content: lines('sentence1,sentence2,label', 200, claim),
    found: 'pairs from columns "sentence1" and "sentence2", classes from column "label"',
    given: [
      { text: '7 people live in Oslo', pair: 'they live in Oslo' },
      { text: '7 people live in Oslo', pair: 'they live in Lyon' },
    ],
    ...{ own: ownClasses, theirs: theirPairs },
  },
};

const space = workspace();
afterAll(() => space[Symbol.dispose]());
env.allowRemoteModels = false;

const nameOf = ({ file }: Kind): string => file.replace(/\.\w+$/, '');

/** The three commands, in a folder of its own: what they print where they do what they should. */
const threeCommands = async (kind: Kind): Promise<readonly unknown[]> => {
  const folder = nameOf(kind);
  const at = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await decant(args, { cwd: space.path(folder) });
    expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' });
    return stdout;
  };
  space.write(`${folder}/${kind.file}`, kind.content);
  expect(await at('init', '--data', kind.file)).toContain(kind.found);
  const small = smallScale(space.path(folder, 'pipeline.yaml'), 110, kind.steps);
  expect(await at('run', ...small, '--store', '../store')).toContain('Report, models and exported folders');
  const pairs = kind.given.flatMap(({ pair }) => (pair === undefined ? [] : ['--pair', pair]));
  const texts = kind.given.map(({ text }) => text);
  const said: unknown = JSON.parse(await at('predict', `runs/${folder}/deploy`, ...texts, ...pairs, '--json'));
  return Array.isArray(said) ? said : [];
};

const keyOf = ({ text, pair = '' }: Given): string => JSON.stringify([text, pair]);

/** What predict said, by kind and text. */
const answered = new Map<string, ReadonlyMap<string, Said>>();

/** The exported folder of a kind below the workspace. */
const folderOf = (name: string): string => {
  const folder = kinds[name] === undefined ? name : nameOf(kinds[name]);
  return `${folder}/runs/${folder}/deploy`;
};

const expectSame = (theirs: Said, own: Said, rounding = ROUNDING): void => {
  expect(Object.keys(theirs).sort()).toEqual(Object.keys(own).sort());
  for (const [name, number] of Object.entries(own))
    expect(Math.abs(number - (theirs[name] ?? Number.NaN))).toBeLessThan(rounding * Math.max(1, Math.abs(number)));
};

describe('from a file to a browser in three commands', () => {
  it.each(Object.entries(kinds))(
    '%s: transformers.js says what predict says',
    async (name, kind) => {
      const own = (await threeCommands(kind)).map(kind.own);
      answered.set(name, new Map(kind.given.map((given, i) => [keyOf(given), own[i] ?? {}])));
      expect(own.length).toBe(kind.given.length);
      expect(own.some((said) => Object.keys(said).length > 0)).toBe(true);
      const theirs = await kind.theirs(space.path(folderOf(name)), kind.given);
      for (const [i, said] of own.entries()) expectSame(theirs[i] ?? {}, said);
    },
    LONGEST_MS,
  );
});

/** Other kernels than those of Node, with 8-bit products of their own. */
const KERNELS = 0.02;

type Row = readonly string[];

/** What a panel of the page shows, by what it is of. */
const shownAs: Readonly<Record<string, (rows: readonly Row[]) => Said>> = {
  CoNLL: (rows) =>
    entitiesSaid(rows.map(([label = '']) => [label.slice(0, label.indexOf(':')), label.slice(label.indexOf(':') + 2)])),
  scores: (rows) => ({ score: Number(rows[0]?.[0]) }),
  pairs: (rows) => shares(rows),
};

const shares = (rows: readonly Row[]): Said =>
  Object.fromEntries(rows.map(([label, percent = '']) => [label, Number.parseFloat(percent) / 100]));

describe.skipIf(!hasBrowser)(browserTitle('the page of examples/browser'), () => {
  let browser: Awaited<ReturnType<typeof launchBrowser>>;
  beforeAll(async () => {
    browser = await launchBrowser();
  }, LONGEST_MS);
  afterAll(() => browser.close());

  it.each([
    ['entities and numbers', { student: 'CoNLL', teacher: 'scores' }],
    ['classes of pairs', { student: 'pairs' }],
  ])(
    'says what predict says: %s',
    async (_, panels) => {
      mkdirSync(space.path('site'), { recursive: true });
      const names = Object.entries(panels).map(([role, name]) => [role, name.toLowerCase()]);
      for (const name of Object.values(panels))
        symlinkSync(space.path(folderOf(name)), space.path('site', name.toLowerCase()));
      const served = await serve(space.path('site'));
      try {
        const page = await browser.newPage();
        page.setDefaultTimeout(PATIENCE_MS);
        await page.goto(`${served.url}?${new URLSearchParams(Object.fromEntries(names))}`);
        await page.locator('#status', { hasText: 'Ready' }).waitFor();
        const [given = { text: '' }] = kinds[panels.student]?.given ?? [];
        await page.locator('#pair').fill(given.pair ?? '');
        await page.locator('#text').fill(given.text);
        await page.locator('#status', { hasText: /answer|differ/ }).waitFor();
        for (const [role, name] of Object.entries(panels)) {
          const rows = await page
            .locator(`#${role} .labels li`)
            .evaluateAll((items) =>
              items.map((item) => [...item.children].map((one) => one.textContent ?? '').filter(Boolean)),
            );
          const own = answered.get(name)?.get(keyOf(given)) ?? {};
          expect(Object.keys(own).length).toBeGreaterThan(0);
          expectSame(shownAs[name]?.(rows) ?? {}, own, KERNELS);
        }
        await page.close();
      } finally {
        served.process.kill();
      }
    },
    LONGEST_MS,
  );
});
