import { describe, expect, it } from 'vitest';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { anatomyOf } from '../../models/anatomy.ts';
import { knownModelTypes } from '../../models/architectures/index.ts';
import { importModel } from '../../models/importers/index.ts';
import { operatorsOf } from '../graph/rewrite-run.ts';
import { checkpoint, checkpointNames, expectedOf, feedsOf, kept } from './golden.ts';
import { largestDifference, outputsOf } from './support.ts';

/** Logits of a few layers in float32; expected.json has six digits. */
const tolerance = 1e-4;

const imported = (name: string) => importModel(checkpoint(name), '/');

describe('golden checkpoints', () => {
  it.each(checkpointNames)('%s computes what PyTorch computes, fused and unfused', async (name) => {
    const { graph, info } = await imported(name);
    const expected = expectedOf(name);
    const feeds = [feedsOf(expected, info)];
    expect(info.task === 'features' ? 'last_hidden_state' : 'logits').toBe(expected.output);
    for (const one of [graph, fuseForInference(graph)]) {
      const [values = []] = await outputsOf(one, feeds);
      expect(values).toHaveLength(expected.values.length);
      const scale = Math.max(1, ...kept(expected.values, expected).map(Math.abs));
      expect(largestDifference(kept(values, expected), kept(expected.values, expected)) / scale).toBeLessThan(
        tolerance,
      );
    }
  });

  it('are there for every architecture that decant knows', async () => {
    const types = await Promise.all(checkpointNames.map(async (name) => (await imported(name)).info.modelType));
    expect([...new Set(types)].sort()).toEqual(knownModelTypes());
  });
});

const bertLike = ['bert', 'distilbert', 'roberta', 'xlm-roberta', 'camembert', 'electra'];

describe.each(bertLike)('an imported %s', (name) => {
  it('shows its heads, neurons and width', async () => {
    const { graph, info } = await imported(name);
    const { layers, hidden, table, vocabulary } = anatomyOf(graph);
    expect(layers).toHaveLength(info.dimensions.layers ?? 0);
    for (const { heads, ffn } of layers) {
      expect(heads.map(({ count, refused }) => [count, refused])).toEqual([[info.dimensions.heads, undefined]]);
      expect(ffn.map(({ count, refused }) => [count, refused])).toEqual([[info.dimensions.ffn, undefined]]);
    }
    expect(hidden.map(({ count, refused }) => [count, refused])).toEqual([[info.dimensions.hidden, undefined]]);
    expect(table).toMatch(/word_embeddings\.weight$/);
    expect(vocabulary).toBe(info.dimensions.vocabulary);
  });

  it('computes all of its attention in fused operators', async () => {
    const { graph, info } = await imported(name);
    const counts = operatorsOf(fuseForInference(graph));
    expect(counts).toMatchObject({ 'com.microsoft:Attention': info.dimensions.layers });
    for (const gone of ['Softmax', 'Transpose', 'Reshape', 'Dropout']) expect(counts).not.toHaveProperty(gone);
  });
});

describe('what model.json says', () => {
  it('has the names of classes, inputs and the configuration as it was read', async () => {
    const { info } = await imported('bert');
    expect(info).toMatchObject({
      task: 'text-classification',
      labels: ['animal', 'money', 'travel'],
      inputs: { ids: 'input_ids', mask: 'attention_mask', types: 'token_type_ids' },
      output: 'logits',
      modelType: 'bert',
      checkpoint: { model_type: 'bert', architectures: ['BertForSequenceClassification'] },
      origin: 'bert (Hugging Face, bert)',
    });
    expect(info.hiddenStates.at(-1)).toBe('last_hidden_state');
  });

  it('tells how sentence-transformers make one vector of a text, and where they cut it', async () => {
    const { info } = await imported('sentence-transformers');
    expect(info.sentence).toEqual({ pooling: 'mean', normalize: true });
    expect(info.task).toBe('features');
    expect((await imported('bert')).info.sentence).toBeUndefined();
  });

  it('counts positions from behind the padding id where the architecture does', async () => {
    const { info } = await imported('roberta');
    const positions = Number(info.checkpoint?.max_position_embeddings);
    expect(info.maxLength).toBeLessThanOrEqual(positions - info.tokens.padding - 1);
    expect(info.inputs.types).toBeUndefined();
  });
});

describe('head: new', () => {
  it.each(['bert', 'bert-tokens', 'bert-mlm', 'distilbert', 'roberta-mlm', 'electra-tokens'])(
    'takes the encoder of %s alone',
    async (name) => {
      const { graph, info } = await importModel(checkpoint(name), '/', { head: 'new' });
      expect(info).toMatchObject({ task: 'features', labels: [], output: 'last_hidden_state' });
      expect([...graph.weights.keys()].filter((weight) => /classifier|cls\.|lm_head|vocab_/.test(weight))).toEqual([]);
    },
  );
});
