import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../data/dataset.ts';
import { choices } from '../../data/evidence.ts';
import { readPredictions } from '../../data/predictions.ts';
import { agreement } from '../../data/statistics/pairs.ts';
import { correctness, type Scored, scoredOf } from '../../data/statistics/scored.ts';
import { tokenizerOf } from '../../data/tokenize.ts';
import { clientOf } from '../../data/tokenizers/client.ts';
import { value } from '../../graph/graph.ts';
import { tensorOf } from '../../graph/tensor.ts';
import * as metrics from '../../ground/metrics/index.ts';
import { figureOf } from '../../ground/metrics/metric.ts';
import { withTokenHead } from '../../models/head.ts';
import type { Model } from '../../models/model.ts';
import { evaluate } from '../../stages/evaluate/index.ts';
import { clientModel, labels } from '../clients/rig.ts';
import { batchOf, outputsOf, smallEncoder } from '../models/support.ts';
import { workspace } from '../rig/workspace.ts';
import { classes, datasetArtifact, modelArtifact, runStage, smallDataset } from './training-rig.ts';

const accuracy = (scored: Scored): number => figureOf(metrics.accuracy, choices(scored).judged);

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
  return {
    notes: metrics.notes,
    client: metrics.client,
    said,
    predictions: await readPredictions(output.path).catch(() => undefined),
  };
};

const test = [
  { id: 0, text: 'the cat', target: 0 },
  { id: 1, text: long, target: 1 },
  { id: 2, text: 'a dog', target: 0 },
  { id: 3, text: long.toUpperCase(), target: 2 },
];

describe('an evaluation', () => {
  it('says what share of the texts is longer than data.maxLength', async () => {
    const { notes, said } = await evaluated(smallEncoder({ labels: classes }), { maxLength: 6, test });
    expect(notes).toEqual([
      '2 of 4 test texts (50.0 %) are longer than 6 tokens (data.maxLength) and are cut',
      'transformers.js reads 2 of 4 test texts as other tokens (2 of them only by their length: it cuts at 12 tokens, special ' +
        `ones counted, and loses the closing one); the first, "${long}": old dog runs instead of old; accuracy there: the same`,
    ]);
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
      test: [{ ...tagged, target: tags }],
    });
    expect(notes).toEqual([
      '1 of 1 test sentences (100.0 %) are longer than 6 tokens (data.maxLength) and are cut; 2 words beyond count as wrong',
      expect.stringMatching(/^transformers.js reads 1 of 1 test sentences as other tokens/),
    ]);
    // A head of zeros says the first class of all that it reads: six words of eight.
    expect(predictions === undefined ? undefined : accuracy(scoredOf(predictions))).toBe(0.75);
  });
});

describe('answers of tens of thousands of classes', () => {
  it('keep the number of their class, beyond 16 bits, too', async () => {
    const names = Array.from({ length: 66_000 }, (_, i) => `tag ${i}`);
    const model = withTokenHead(smallEncoder({ labels: [] }), names);
    const bias = new Float32Array(names.length);
    bias[65_999] = 1;
    const weights = new Map([...model.graph.weights, [value('classifier.bias'), tensorOf('float32', [66_000], bias)]]);
    const text = 'the cat sleeps';
    const { predictions } = await evaluated(
      { ...model, graph: { ...model.graph, weights } },
      {
        ...{ task: 'token-classification', classes: names, maxLength: 6, train: [], unlabelled: [], validation: [] },
        test: [{ id: 1, text, target: [65_999, 464, 65_999] }],
      },
    );
    if (predictions === undefined) throw new Error('nothing was said');
    expect([...correctness(scoredOf(predictions))]).toEqual([1, 0, 1]);
    expect(agreement(scoredOf(predictions), scoredOf(predictions))).toBe(1);
  });
});

describe('an evaluation says what transformers.js will do', () => {
  const model = smallEncoder({ labels: classes, maxLength: 32 });
  /** "Removed" of commas, which stay in the client. */
  const behavior = {
    ...model.tokenizer,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [{ type: 'WhitespaceSplit' }, { type: 'Punctuation', behavior: 'Removed' }],
    },
  };
  const commas = [
    { id: 0, text: 'the cat', target: 0 },
    { id: 1, text: 'the, cat', target: 1 },
    { id: 2, text: 'a, dog', target: 0 },
  ];

  it('with texts that become other tokens there, the first of them, and what that costs', async () => {
    const { client, notes } = await evaluated({ ...model, tokenizer: behavior }, { maxLength: 32, test: commas });
    expect(client).toMatchObject({
      ...{ differing: 2, cut: 0, texts: 3, settings: ['pre_tokenizer Punctuation (behavior Removed)'] },
      first: { text: 'the, cat', tokens: ['the', 'cat'], client: ['the', '[UNK]', 'cat'] },
    });
    expect(notes).toEqual([
      'transformers.js does not carry out these settings of tokenizer.json: pre_tokenizer Punctuation (behavior Removed)',
      expect.stringMatching(/^transformers.js reads 2 of 3 test texts as other tokens; the first, "the, cat": /),
    ]);
  });

  it('and the accuracy there is that of the model on the tokens of the client', async () => {
    const whole = clientModel('text-classification');
    const tokenizer = { ...whole.tokenizer, pre_tokenizer: behavior.pre_tokenizer };
    const theirs = clientOf(tokenizer, {});
    const given = ['the cat, the dog!', 'a small bird, sings', 'the old dog; runs', 'quietly?', 'the cat sleeps'];
    const best = async (ids: ArrayLike<number>): Promise<number> => {
      const [logits = []] = await outputsOf(whole.graph, [batchOf([Array.from(ids)])]);
      return logits.indexOf(Math.max(...logits));
    };
    const there = await Promise.all(given.map((text) => best(theirs(text).ids)));
    const encoded = await tokenizerOf(tokenizer).encodeBatch(given, 32);
    const here = await Promise.all(encoded.map(({ ids }) => best(ids)));
    // Whatever the client says is right, so it makes no mistake.
    const right = here.filter((one, i) => one === there[i]).length;
    expect(right).toBeLessThan(given.length);
    const { client } = await evaluated(
      { ...whole, tokenizer },
      { classes: labels, maxLength: 32, test: given.map((text, id) => ({ id, text, label: there[id] ?? 0 })) },
    );
    expect(Object(client).scoreChange).toBeCloseTo(1 - right / given.length, 9);
  });

  it('that it cannot load the tokenizer at all', async () => {
    const tokenizer = { ...model.tokenizer, pre_tokenizer: { type: 'CharDelimiterSplit', delimiter: ' ' } };
    const { client, notes } = await evaluated({ ...model, tokenizer }, { maxLength: 32, test: commas });
    expect(client).toMatchObject({ texts: 0, scoreChange: null });
    expect(notes).toEqual([
      'transformers.js does not carry out these settings of tokenizer.json: pre_tokenizer CharDelimiterSplit',
      'transformers.js cannot load the tokenizer (Unknown PreTokenizer type: CharDelimiterSplit): the model runs in no browser',
    ]);
  });

  it('and nothing where it reads all texts alike', async () => {
    const { client, notes } = await evaluated(model, { maxLength: 32, test });
    expect(client).toEqual({ differing: 0, cut: 0, texts: 4, scoreChange: 0, first: null, settings: [] });
    expect(notes).toBeUndefined();
  });
});
