import { describe, expect, it } from 'vitest';
import { readDataset } from '../../data/files.ts';
import { dataset } from '../../stages/dataset/index.ts';
import { root } from '../data/corpus.ts';
import { workspace } from '../rig/workspace.ts';
import { artifactOf, contextIn } from './stage-rig.ts';

const rows = (count: number): string =>
  Array.from({ length: count }, (_, i) => `some text number ${i},${i % 2 ? 'odd' : 'even'}\n`).join('');

describe('the dataset stage', () => {
  it('writes the splits and counts them', async () => {
    using space = workspace();
    space.write('data.csv', `text,label\n${rows(300)}some text number 7,even\n`);
    const logged: string[] = [];
    const context = {
      ...contextIn(space.path('out'), { base: space.folder }),
      log: (line: string) => logged.push(line),
    };
    const metrics = await dataset.run({}, { uses: 'csv', file: 'data.csv', labelled: 40, maxLength: 32 }, context);
    const made = await readDataset(space.path('out/dataset'));
    expect(metrics).toEqual({
      train: 40,
      unlabelled: made.unlabelled.length,
      validation: made.validation.length,
      test: made.test.length,
      task: 'text-classification',
      classes: ['even', 'odd'],
      maxLength: 32,
      averageWords: 4,
      duplicates: 1,
      contradictions: 1,
      dropped: 0,
      remarks: [],
    });
    expect(40 + made.unlabelled.length + made.validation.length + made.test.length).toBe(300);
    expect(made.train.length).toBe(40);
    expect(logged).toEqual(['1 repeated texts were left out, 1 of them with another label than the first']);
  });

  it('writes equal bytes from equal files', async () => {
    using space = workspace();
    space.write('data.csv', `text,label\n${rows(200)}`);
    const config = { uses: 'csv', file: 'data.csv' };
    for (const name of ['one', 'two'])
      await dataset.run({}, config, contextIn(space.path(name), { base: space.folder }));
    const [one, two] = [await readDataset(space.path('one/dataset')), await readDataset(space.path('two/dataset'))];
    expect(one).toEqual(two);
  });

  it('makes what it made before, unless its version says otherwise', async () => {
    using space = workspace();
    const config = { uses: 'wordnet-supersense', labelled: 300, limit: 1000 };
    await dataset.run({}, config, contextIn(space.path('out'), { base: root }));
    const { artifact } = await artifactOf(space.path('out/dataset'), 'dataset');
    // Other bytes under the same version would leave stale cache entries in use: raise `version`, then run with -u.
    const golden = `../golden/dataset-version-${dataset.version}.txt`;
    const lines = Object.entries(artifact.files).map(([file, { digest }]) => `${file} ${digest}\n`);
    await expect(lines.sort().join('')).toMatchFileSnapshot(golden);
  });

  it('tells what is wrong with the data as a mistake of the user', async () => {
    using space = workspace();
    space.write('data.csv', 'text,label\n"open,even\n');
    const run = dataset.run(
      {},
      { uses: 'csv', file: 'data.csv' },
      contextIn(space.path('out'), { base: space.folder }),
    );
    await expect(run).rejects.toMatchObject({ kind: 'stage' });
    await expect(run).rejects.toThrow('data.csv:2: a quote in this row never closes');
  });

  it('names the files that its result depends on', async () => {
    expect(await dataset.sources?.({ uses: 'jsonl', train: 'a.jsonl', test: '/b.jsonl' }, '/base')).toEqual([
      '/b.jsonl',
      '/base/a.jsonl',
    ]);
  });
});
