import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rowOf } from '../../data/rows.ts';
import { predict } from '../../engine/predict.ts';
import { fillMask } from '../../engine/tasks/fill-mask.ts';
import { numbersOf, tensorOf } from '../../graph/tensor.ts';
import type { TaskName } from '../../ground/tasks.ts';
import { writeModel } from '../../models/files.ts';
import { clientModel, labels } from '../clients/rig.ts';
import { decant } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

const space = workspace();
afterAll(() => space[Symbol.dispose]());
const run = (...args: readonly string[]) => decant(args, { cwd: space.folder });

const words = ['cat', 'dog', 'sleeps', 'sings', 'the', 'old', 'small', 'bird', 'quietly'];
const wordAt = (i: number): string => words[i % words.length] ?? '';
const texts = Array.from({ length: 24 }, (_, i) =>
  Array.from({ length: 3 + (i % 4) }, (_, w) => wordAt(i * 3 + w * 5)).join(' '),
);

const tags = ['O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC'];

/** A model of each task, random and so small that it answers at once; two of those that are compared. */
beforeAll(async () => {
  const tagger = clientModel('named-entities');
  const models: Readonly<Record<string, ReturnType<typeof clientModel>>> = {
    tags: clientModel('token-classification'),
    entities: { ...tagger, info: { ...tagger.info, labels: tags.slice(0, 4) } },
    sets: clientModel('multi-label'),
    fitted: withThresholds(),
    score: clientModel('score'),
    vectors: clientModel('features'),
    masks: clientModel('fill-mask'),
    pairs: clientModel('text-classification', { types: true }),
  };
  for (const [name, model] of Object.entries(models)) await writeModel(space.path(name), model);
  space.write('texts.csv', `text\n${texts.join('\n')}\n`);
});

const withThresholds = () => {
  const model = clientModel('multi-label');
  const processor = { ...model.info.processor, thresholds: [0.2, 0.6, 0.5, 0.8] };
  return { ...model, info: { ...model.info, processor } };
};

interface Quality {
  readonly metric: string;
  readonly score: number;
  readonly more: Readonly<Record<string, { readonly value: number }>>;
  readonly examples: number;
}

const evaluated = async (
  ...args: readonly string[]
): Promise<{ readonly task: TaskName; readonly qualities: readonly Quality[] }> => {
  const { code, stdout, stderr } = await run('evaluate', ...args, '--json');
  expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
  const { task, models } = JSON.parse(stdout);
  return { task, qualities: models.map(({ quality }: { quality: Quality }) => quality) };
};

/** What `decant predict` says of each text by itself. */
const predicted = async <T>(model: string, ...more: readonly string[]): Promise<readonly T[]> => {
  const { stdout } = await decant(['predict', model, '--json', ...more], {
    cwd: space.folder,
    input: texts.join('\n'),
  });
  return JSON.parse(stdout);
};

const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const f1 = (hits: number, said: number, truth: number): number => (2 * hits) / (said + truth);
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;

/** Batches of other lengths sum in another order. */
const DIGITS = 4;

interface Tagged {
  readonly words: readonly { readonly word: string; readonly label: string }[];
}

describe('evaluate', () => {
  it('counts the right words of taggers', async () => {
    const said = (await predicted<Tagged>('tags')).map((one) => one.words.map(({ label }) => label));
    // Every third word has another tag than the one that is said.
    const truth = said.map((list, i) => list.map((tag, w) => ((i + w) % 3 === 0 ? wordTag(i + w) : tag)));
    space.write('tags.jsonl', lines(texts.map((text, i) => ({ tokens: text.split(' '), tags: truth[i] }))));
    const { task, qualities } = await evaluated('tags', '--data', 'tags.jsonl');
    const right = said.flatMap((list, i) => list.map((tag, w) => Number(tag === truth[i]?.[w])));
    expect([task, qualities[0]?.metric, qualities[0]?.examples]).toEqual([
      'token-classification',
      'accuracy',
      right.length,
    ]);
    expect(qualities[0]?.score).toBeCloseTo(mean(right), 10);
    expect(mean(right)).toBeLessThan(1);
  });

  it('counts whole entities, over all types and of each', async () => {
    interface Found {
      readonly entities: readonly { readonly label: string; readonly start: number; readonly end: number }[];
    }
    const said = (await predicted<Found>('entities')).map(({ entities }) => entities);
    expect(said.flat().length).toBeGreaterThan(5);
    // Of each text the first entity is true as it is; of the next ones places are persons, and persons nothing.
    const truth = said.map((list) =>
      list.flatMap((one, i) => (i === 0 ? [one] : one.label === 'LOC' ? [{ ...one, label: 'PER' }] : [])),
    );
    const spans = truth.map((list) => list.map(({ label, start, end }) => ({ label, start, end })));
    space.write('spans.jsonl', lines(texts.map((text, i) => ({ text, entities: spans[i] }))));
    const ended = await run('evaluate', 'entities', '--data', 'spans.jsonl', '--json');
    expect([ended.code, ended.stderr]).toEqual([0, expect.not.stringContaining('entities')]);
    const [{ quality }] = JSON.parse(ended.stdout).models;
    const hits = said.filter((list) => list.length > 0).length;
    expect(quality.metric).toBe('entityF1');
    expect(quality.score).toBeCloseTo(f1(hits, said.flat().length, truth.flat().length), 10);
    expect(truth.flat().length).toBeLessThan(said.flat().length);
    for (const { label, support, precision, recall, f1: own } of quality.entities) {
      const [claims, facts] = [said, truth].map((all) => all.flat().filter((one) => one.label === label).length);
      const right = said.filter(([first]) => first?.label === label).length;
      expect([label, support]).toEqual([label, facts]);
      expect(precision).toBeCloseTo(claims === 0 ? 0 : right / (claims ?? 0), 10);
      expect(recall).toBeCloseTo(facts === 0 ? 0 : right / (facts ?? 0), 10);
      expect(own).toBeCloseTo(f1(right, claims ?? 0, facts ?? 0), 10);
    }
    expect(quality.entities.map(({ label }: { label: string }) => label).sort()).toEqual(['LOC', 'PER']);
  });

  it.each(['sets', 'fitted'])('counts classes said and true where a text has several: %s', async (model) => {
    const said = (await predicted<{ readonly labels: readonly string[] }>(model)).map((one) => one.labels);
    const truth = texts.map((_, i) =>
      labels.filter((label, c) => (i + c) % 3 === 0 || said[i]?.includes(label) === c < 2),
    );
    space.write('sets.jsonl', lines(texts.map((text, i) => ({ text, labels: truth[i] }))));
    const { task, qualities } = await evaluated(model, '--data', 'sets.jsonl');
    const counts = labels.map((label) => ({
      said: said.filter((set) => set.includes(label)).length,
      truth: truth.filter((set) => set.includes(label)).length,
      hits: said.filter((set, i) => set.includes(label) && truth[i]?.includes(label)).length,
    }));
    const [all] = [
      counts.reduce((a, b) => ({ said: a.said + b.said, truth: a.truth + b.truth, hits: a.hits + b.hits })),
    ];
    const present = counts.filter((one) => one.said + one.truth > 0);
    const [quality] = qualities;
    expect([task, quality?.metric]).toEqual(['multi-label', 'microF1']);
    expect(quality?.score).toBeCloseTo(f1(all.hits, all.said, all.truth), 10);
    expect(quality?.more.macroF1?.value).toBeCloseTo(mean(present.map((one) => f1(one.hits, one.said, one.truth))), 10);
    const whole = said.map((set, i) =>
      Number(labels.every((label) => set.includes(label) === truth[i]?.includes(label))),
    );
    expect(quality?.more.subsetAccuracy?.value).toBeCloseTo(mean(whole), 10);
  });

  it('correlates numbers, and squares how far they are off', async () => {
    const said = (await predicted<{ readonly score: number }>('score')).map(({ score }) => score);
    const truth = said.map((score, i) => Number((score + Math.sin(i * 7)).toFixed(3)));
    space.write('scores.csv', `text,score\n${texts.map((text, i) => `${text},${truth[i]}\n`).join('')}`);
    const { task, qualities } = await evaluated('score', '--data', 'scores.csv');
    const ranks = (values: readonly number[]) => values.map((x) => values.filter((y) => y < x).length);
    const [quality] = qualities;
    expect([task, quality?.metric]).toEqual(['score', 'spearman']);
    expect(quality?.score).toBeCloseTo(pearson(ranks(said), ranks(truth)), DIGITS);
    expect(quality?.more.pearson?.value).toBeCloseTo(pearson(said, truth), DIGITS);
    const squares = said.map((x, i) => (x - (truth[i] ?? 0)) ** 2);
    expect(quality?.more.meanSquaredError?.value).toBeCloseTo(mean(squares), DIGITS);
  });

  it('compares vectors with those of the first model, and says that one model alone has nothing to be judged by', async () => {
    const model = clientModel('features');
    const weights = new Map(model.graph.weights);
    const [name, weight] = [...weights].find(([key]) => key.includes('word_embeddings')) ?? [];
    if (name === undefined || weight === undefined) throw new Error('there is no table of embeddings');
    const data = Float32Array.from(numbersOf(weight), (x, i) => x + 0.3 * Math.sin(i));
    weights.set(name, tensorOf('float32', weight.dims, data));
    await writeModel(space.path('moved'), { ...model, graph: { ...model.graph, weights } });
    const { task, qualities } = await evaluated('vectors', 'moved', '--data', 'texts.csv');
    const [theirs, mine] = [
      await predicted<{ readonly vector: readonly number[] }>('vectors'),
      await predicted<{ readonly vector: readonly number[] }>('moved'),
    ];
    const cosines = mine.map(({ vector }, i) => cosine(vector, theirs[i]?.vector ?? []));
    expect([task, ...qualities.map(({ metric }) => metric)]).toEqual(['features', 'cosine', 'cosine']);
    expect(qualities[0]?.score).toBeCloseTo(1, 6);
    expect(qualities[1]?.score).toBeCloseTo(mean(cosines), DIGITS);
    expect(mean(cosines)).toBeLessThan(0.999);
    const alone = await run('evaluate', 'vectors', '--data', 'texts.csv');
    expect([alone.code, alone.stderr]).toEqual([
      2,
      'vectors: gives vectors, which are judged by those of another model; name the model that they should be like first: decant evaluate TEACHER vectors --data texts.csv\n',
    ]);
  });

  it('is surprised by hidden tokens as much as their probabilities say', async () => {
    const model = clientModel('fill-mask');
    const examples = await fillMask.encode(model, texts, model.info.maxLength);
    const { rows } = await predict({ model, task: fillMask, examples, threads: 1, batching: 'single' });
    const hidden = examples.flatMap(({ places = [], byRole }) =>
      Array.from(places, (place) => byRole.original?.[place] ?? -1),
    );
    const surprises = hidden.map((token, i) => {
      const logits = Array.from(rowOf(rows, i));
      return Math.log(sum(logits.map(Math.exp))) - (logits[token] ?? Number.NaN);
    });
    const { task, qualities } = await evaluated('masks', '--data', 'texts.csv');
    const [quality] = qualities;
    expect([task, quality?.metric, quality?.examples]).toEqual(['fill-mask', 'nats', hidden.length]);
    expect(quality?.score).toBeCloseTo(mean(surprises), DIGITS);
    expect(quality?.more.perplexity?.value).toBeCloseTo(Math.exp(mean(surprises)), 1);
    const right = hidden.map((token, i) => {
      const logits = Array.from(rowOf(rows, i));
      return Number(logits.indexOf(Math.max(...logits)) === token);
    });
    expect(quality?.more.accuracy?.value).toBeCloseTo(mean(right), 10);
  });

  it('reads both texts of pairs, in the order of their columns', async () => {
    const input = texts.map((text, i) => `${text}\t${texts[(i + 5) % texts.length]}`).join('\n');
    const { stdout } = await decant(['predict', 'pairs', '--pairs', '--json'], { cwd: space.folder, input });
    const said: readonly string[] = JSON.parse(stdout).map(({ label }: { label: string }) => label);
    const truth = said.map((label, i) => (i % 4 === 0 ? (labels[i % labels.length] ?? '') : label));
    const rows = texts.map((text, i) => `${text},${texts[(i + 5) % texts.length]},${truth[i]}\n`);
    space.write('pairs.csv', `one,other,kind\n${rows.join('')}`);
    const columns = ['--text', 'one', '--pair', 'other', '--label', 'kind'];
    const { qualities } = await evaluated('pairs', '--data', 'pairs.csv', ...columns);
    expect(qualities[0]?.score).toBeCloseTo(mean(said.map((label, i) => Number(label === truth[i]))), 10);
    const turned = ['--text', 'other', '--pair', 'one', '--label', 'kind'];
    expect((await evaluated('pairs', '--data', 'pairs.csv', ...turned)).qualities[0]?.score).not.toBe(
      qualities[0]?.score,
    );
  });
});

const wordTag = (i: number): string => labels[i % labels.length] ?? '';

const cosine = (x: readonly number[], y: readonly number[]): number => {
  const dot = (a: readonly number[], b: readonly number[]): number => sum(a.map((value, i) => value * (b[i] ?? 0)));
  return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
};

const pearson = (x: readonly number[], y: readonly number[]): number => {
  const [a, b] = [x.map((value) => value - mean(x)), y.map((value) => value - mean(y))];
  return cosine(a, b);
};
