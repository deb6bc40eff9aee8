import { writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dataset, Example } from '../../data/dataset.ts';
import { openTrainingTexts, readDataset, readDatasetArtifact, writeDataset } from '../../data/files.ts';
import { type DatasetTask, datasetTasks } from '../../ground/tasks.ts';
import { workspace } from '../rig/workspace.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const part = { id: fc.nat(), text };
const targets = {
  'text-classification': { ...part, target: fc.nat(5) },
  'token-classification': { ...part, target: fc.array(fc.nat(5), { maxLength: 3 }) },
  'named-entities': { ...part, target: fc.array(fc.nat(5), { maxLength: 3 }) },
  'multi-label': { ...part, target: fc.array(fc.nat(5), { maxLength: 3 }) },
  features: part,
  score: { ...part, target: fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0) },
  'fill-mask': part,
  'text-generation': part,
  text2text: part,
} as const;

/** A grey image of two by three pixels. */
const pixels = fc
  .uint8Array({ minLength: 6, maxLength: 6 })
  .map((data) => ({ height: 2, width: 3, channels: 1, data: Uint8Array.from(data) }));

const imagesOf = (task: DatasetTask): fc.Arbitrary<Dataset> => {
  const image = { ...part, pixels };
  const labelled = fc.array(fc.record({ ...image, target: fc.nat(5) }), { maxLength: 5 });
  return fc.record({
    task: fc.constant(task),
    classes: fc.array(text, { maxLength: 4 }),
    maxLength: fc.constant(1),
    train: labelled,
    unlabelled: fc.array(fc.record(image), { maxLength: 5 }),
    validation: labelled,
    test: labelled,
  });
};

const textsOf = (task: keyof typeof targets): fc.Arbitrary<Dataset> => {
  const example: fc.Arbitrary<Example> = fc.oneof(
    fc.record(targets[task]),
    fc.record({ ...targets[task], pair: text }),
  );
  const examples = fc.array(example, { maxLength: 5 });
  return fc.record({
    task: fc.constant(task),
    classes: fc.array(text, { maxLength: 4 }),
    maxLength: fc.integer({ min: 4, max: 512 }),
    train: examples,
    unlabelled: fc.array(fc.record(part), { maxLength: 5 }),
    validation: examples,
    test: examples,
  });
};
const datasets = fc.oneof(
  ...datasetTasks.map((task) => (task === 'image-classification' ? imagesOf(task) : textsOf(task))),
);

const small: Dataset = {
  task: 'text-classification',
  classes: ['a', 'b'],
  maxLength: 8,
  train: [
    { id: 0, text: 'one', target: 0 },
    { id: 1, text: 'two\nlines', target: 1 },
  ],
  unlabelled: [],
  validation: [],
  test: [],
};

describe('a written dataset', () => {
  it('is read as it was', async () => {
    using space = workspace();
    await fc.assert(
      fc.asyncProperty(datasets, async (dataset) => {
        await writeDataset(space.folder, dataset);
        expect(await readDataset(space.folder)).toEqual(dataset);
      }),
      { numRuns: 50 },
    );
  });

  it('gives its training texts one after another, and some of them in any order', async () => {
    using space = workspace();
    await fc.assert(
      fc.asyncProperty(datasets, fc.infiniteStream(fc.nat()), async (dataset, keys) => {
        await writeDataset(space.folder, dataset);
        const { train, unlabelled } = dataset;
        const texts = await openTrainingTexts((file) => space.path(file));
        expect(texts).toMatchObject({ classes: dataset.classes, labelled: train.length });
        const all: Example[] = [];
        for await (const example of texts.all()) all.push(example);
        expect(all).toEqual([...train, ...unlabelled]);
        const order = train.map((_, place) => ({ place, key: keys.next().value })).sort((a, b) => a.key - b.key);
        const places = Int32Array.from(order.slice(0, 3), ({ place }) => place);
        expect(await texts.pick(places)).toEqual(Array.from(places, (place) => train[place]));
      }),
      { numRuns: 50 },
    );
  });

  it('is read through a map of its files, in any size', async () => {
    using space = workspace();
    const train = Array.from({ length: 20_000 }, (_, id) => ({ id, text: `text ${id}`, target: id % 2 }));
    await writeDataset(space.folder, { ...small, train });
    const read = await readDatasetArtifact((file) => space.path(file));
    expect(read.train).toEqual(train);
  });

  it('that lost lines is refused', async () => {
    using space = workspace();
    await writeDataset(space.folder, small);
    await writeFile(space.path('train.jsonl'), '{"id":0,"text":"one","label":0}\n');
    const lost = /train\.jsonl holds 1 examples, dataset\.json announces 2/;
    await expect(readDataset(space.folder)).rejects.toThrow(lost);
    const texts = await openTrainingTexts((file) => space.path(file));
    await expect(texts.pick(Int32Array.of(0))).rejects.toThrow(lost);
  });

  it.each([
    ['text-classification', 'a label'],
    ['token-classification', 'tags'],
  ] as const)('for %s whose examples lack %s is refused', async (task, lacking) => {
    using space = workspace();
    await writeDataset(space.folder, { ...small, task, train: [{ id: 7, text: 'one' }] });
    await expect(readDataset(space.folder)).rejects.toThrow(`train.jsonl: example 7 lacks ${lacking}`);
  });

  it('of another schema is refused', async () => {
    using space = workspace();
    await writeFile(space.path('dataset.json'), '{"schema":"decant.dataset/9"}');
    await expect(readDataset(space.folder)).rejects.toThrow(
      "is of the schema 'decant.dataset/9'; expected 'decant.dataset/2'",
    );
  });
});
