import { writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../data/dataset.ts';
import { readDataset, readDatasetArtifact, writeDataset } from '../../data/files.ts';
import { workspace } from '../rig/workspace.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const labelled = fc.array(fc.record({ id: fc.nat(), text, label: fc.nat(5) }), { maxLength: 5 });
const datasets: fc.Arbitrary<Dataset> = fc.record({
  classes: fc.array(text, { maxLength: 4 }),
  maxLength: fc.integer({ min: 4, max: 512 }),
  train: labelled,
  unlabelled: fc.array(fc.record({ id: fc.nat(), text }), { maxLength: 5 }),
  validation: labelled,
  test: labelled,
});

const small: Dataset = {
  classes: ['a', 'b'],
  maxLength: 8,
  train: [
    { id: 0, text: 'one', label: 0 },
    { id: 1, text: 'two\nlines', label: 1 },
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

  it('is read through a map of its files, in any size', async () => {
    using space = workspace();
    const train = Array.from({ length: 20_000 }, (_, id) => ({ id, text: `text ${id}`, label: id % 2 }));
    await writeDataset(space.folder, { ...small, train });
    const read = await readDatasetArtifact((file) => space.path(file));
    expect(read.train).toEqual(train);
  });

  it('that lost lines is refused', async () => {
    using space = workspace();
    await writeDataset(space.folder, small);
    await writeFile(space.path('train.jsonl'), '{"id":0,"text":"one","label":0}\n');
    await expect(readDataset(space.folder)).rejects.toThrow(/train\.jsonl holds 1 examples, dataset\.json announces 2/);
  });

  it('of another schema is refused', async () => {
    using space = workspace();
    await writeFile(space.path('dataset.json'), '{"schema":"decant.dataset/9"}');
    await expect(readDataset(space.folder)).rejects.toThrow(
      "dataset of schema 'decant.dataset/9', expected 'decant.dataset/1'",
    );
  });
});
