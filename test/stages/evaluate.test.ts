import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../data/dataset.ts';
import { readPredictions } from '../../data/predictions.ts';
import type { Model } from '../../models/model.ts';
import { withTokenHead } from '../../models/token-head.ts';
import { accuracy } from '../../reports/statistics/quality.ts';
import { evaluate } from '../../stages/evaluate/index.ts';
import { smallEncoder } from '../models/support.ts';
import { workspace } from '../rig/workspace.ts';
import { classes, datasetArtifact, modelArtifact, runStage, smallDataset } from './training-rig.ts';

const long = 'the old cat sleeps the old dog runs';

const evaluated = async (model: Model, data: Partial<Dataset>) => {
  using space = workspace();
  const said: string[] = [];
  const inputs = {
    model: await modelArtifact(space, 'model', model),
    dataset: await datasetArtifact(space, { ...smallDataset(), ...data }),
  };
  const { output, metrics } = await runStage(
    space,
    evaluate,
    inputs,
    {},
    {
      ...{ name: 'said', kind: 'predictions' },
      context: { log: (message) => said.push(message) },
    },
  );
  return { notes: metrics.notes, said, predictions: await readPredictions(output.path).catch(() => undefined) };
};

const test = [
  { id: 0, text: 'the cat', label: 0 },
  { id: 1, text: long, label: 1 },
  { id: 2, text: 'a dog', label: 0 },
  { id: 3, text: long.toUpperCase(), label: 2 },
];

describe('an evaluation', () => {
  it('says what share of the texts is longer than data.maxLength', async () => {
    const { notes, said } = await evaluated(smallEncoder({ labels: classes }), { maxLength: 6, test });
    expect(notes).toEqual(['2 of 4 test texts (50.0 %) are longer than 6 tokens (data.maxLength) and are cut']);
    expect(said).toEqual(notes);
  });

  it('says that the model reads less than the data allows, of vectors, too', async () => {
    const bare = test.map(({ id, text }) => ({ id, text }));
    const data = { task: 'features', classes: [], maxLength: 64, train: [], test: bare } as const;
    const { notes } = await evaluated(smallEncoder({ labels: [], maxLength: 6 }), data);
    expect(notes).toEqual([
      '2 of 4 test texts (50.0 %) are longer than the 6 tokens that the model reads (data.maxLength is 64) and are cut',
    ]);
  });

  it('says nothing where every text is read to its end', async () => {
    const { notes, said } = await evaluated(smallEncoder({ labels: classes, maxLength: 32 }), { maxLength: 32, test });
    expect([notes, said]).toEqual([undefined, []]);
  });

  it.each([3, 200])('counts words beyond the end as wrong, whatever their class, of %i classes', async (count) => {
    const names = Array.from({ length: count }, (_, i) => `tag ${i}`);
    const model = withTokenHead(smallEncoder({ labels: [] }), names);
    const [, tagged = { id: 1, text: long }] = test;
    const tags = long.split(' ').map(() => 0);
    const data = { task: 'token-classification', classes: names, maxLength: 6 } as const;
    const { notes, predictions } = await evaluated(model, {
      ...{ ...data, train: [], unlabelled: [], validation: [] },
      test: [{ ...tagged, tags }],
    });
    expect(notes).toEqual([
      '1 of 1 test sentences (100.0 %) are longer than 6 tokens (data.maxLength) and are cut; 2 words beyond count as wrong',
    ]);
    // A head of zeros says the first class of all that it reads: six words of eight.
    expect(predictions === undefined ? undefined : accuracy(predictions)).toBe(0.75);
  });
});
