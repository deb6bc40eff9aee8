import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../data/dataset.ts';
import { dataSchema, load } from '../../data/datasets/index.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

const rows = (count: number, first = 0): string =>
  Array.from({ length: count }, (_, i) => `Text number ${first + i},c${i % 2}\n`).join('');

const loaded = (space: Workspace, more: Readonly<Record<string, unknown>>) =>
  load(dataSchema.parse({ uses: 'csv', ...more }), space.folder);

const splits = ['train', 'unlabelled', 'validation', 'test'] as const;

const allOf = (dataset: Dataset) => splits.flatMap((split) => dataset[split].map(({ text }) => [split, text] as const));

const files = { train: 'train.csv', validation: 'validation.csv', test: 'test.csv' };

const write = (space: Workspace, test: string): void => {
  space.write('train.csv', `text,label\n${rows(200)}`);
  space.write('validation.csv', `text,label\n${rows(50, 500)}`);
  space.write('test.csv', `text,label\n${test}`);
};

describe('texts in two splits', () => {
  it('are counted and named, and count in the one that judges', async () => {
    using space = workspace();
    write(space, `${rows(30, 180)}Text number 510,c0\n`);
    const { dataset, duplicates, remarks } = await loaded(space, files);
    expect([duplicates, dataset.test.length, dataset.train.length, dataset.validation.length]).toEqual([
      21, 31, 180, 49,
    ]);
    expect(remarks).toEqual([
      "1 text of the validation split is in the test split, too, and counts there alone: the first is 'Text number 510' (validation.csv:12 and test.csv:32)",
      "20 texts of the train split are in the test split, too, and count there alone: the first is 'Text number 180' (train.csv:182 and test.csv:2)",
    ]);
  });

  it('but for case and spaces are counted and named, and left out with dedupe: true', async () => {
    using space = workspace();
    write(space, `${rows(30, 900)}"text  NUMBER 7",c1\n"ＴＥＸＴ number 8",c0\n`);
    const kept = await loaded(space, files);
    expect([kept.duplicates, kept.dataset.train.length]).toEqual([0, 200]);
    expect(kept.remarks).toEqual([
      "2 texts of the train split differ from texts of the test split in case, spaces or Unicode form alone: the first is 'Text number 7' (train.csv:9 and test.csv:32); dedupe: true keeps one of each",
    ]);
    expect((await loaded(space, { ...files, dedupe: false })).dataset).toEqual(kept.dataset);
    const { dataset, duplicates, remarks } = await loaded(space, { ...files, dedupe: true });
    expect([duplicates, dataset.train.length, dataset.test.length]).toEqual([2, 198, 32]);
    expect(remarks).toEqual([
      "2 texts of the train split are in the test split, too, and count there alone: the first is 'Text number 7' (train.csv:9 and test.csv:32)",
    ]);
  });

  it('are none after dedupe: true, however they are written', async () => {
    const spelled = fc
      .tuple(fc.integer({ min: 0, max: 40 }), fc.constantFrom(' ', '  ', '\u00a0'), fc.boolean())
      .map(([i, space, upper]) => {
        const text = `some${space}words ${i}`;
        return upper ? text.toUpperCase() : text;
      });
    await fc.assert(
      fc.asyncProperty(fc.array(spelled, { maxLength: 60 }), async (texts) => {
        using space = workspace();
        const own = texts.map((text, i) => `${text},c${i % 2}\n`).join('');
        space.write('data.csv', `text,label\n${rows(200)}${own}`);
        const { dataset } = await loaded(space, { file: 'data.csv', dedupe: true });
        const keys = allOf(dataset).map(([, text]) => text.toLowerCase().replace(/\s+/g, ' '));
        expect(new Set(keys).size).toBe(keys.length);
        expect(keys.length).toBe(200 + new Set(texts.map((text) => text.toLowerCase().replace(/\s+/g, ' '))).size);
      }),
      { numRuns: 20 },
    );
  });
});
