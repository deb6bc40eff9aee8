import { describe, expect, it } from 'vitest';
import { dataNameOf } from '../../pipeline/execute/data-name.ts';

const nameOf = (config: Parameters<typeof dataNameOf>[0]['steps'][number]['config'], data = 'csv'): string =>
  dataNameOf({
    ...{ data, dataset: 'dataset' },
    steps: [{ id: 'dataset', uses: 'dataset', place: 'data', config, inputs: {} }],
  });

describe('the name of data', () => {
  it.each([
    [{ file: 'mails/2025.csv' }, '2025.csv'],
    [{ train: '../a/train.tsv', test: '../a/test.tsv' }, 'train.tsv'],
    [{ file: ['a/one.csv', 'b/two.csv', '!b/old.csv'] }, 'one.csv, two.csv'],
    [{ file: ['1.csv', '2.csv', '3.csv', '4.csv', '5.csv'] }, '1.csv, 2.csv, 3.csv and 2 more'],
    [{ file: 'data/*.csv' }, '*.csv'],
    [{ folder: 'reviews/' }, 'reviews'],
    [{ folder: ['reviews'], unlabelled: 'more' }, 'reviews'],
    [{ limit: 3 }, 'csv'],
  ])('%j is %s', (config, name) => {
    expect(nameOf(config)).toBe(name);
  });

  it('is that of what decant reads where there are no files', () => {
    expect(nameOf({ limit: 800 }, 'wordnet-supersense')).toBe('wordnet-supersense');
  });
});
