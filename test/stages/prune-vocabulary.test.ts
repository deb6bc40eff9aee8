import { describe, expect, it } from 'vitest';
import { tokenizerOf } from '../../data/tokenize.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { value } from '../../graph/graph.ts';
import type { Metrics } from '../../ground/json.ts';
import { keepTokens, tokenRows } from '../../models/anatomy/tokens.ts';
import { readModelArtifact } from '../../models/files.ts';
import { type Model, tokenizerIn } from '../../models/model.ts';
import { answering, answerName, tokenPort } from '../../models/signature.ts';
import { prune } from '../../stages/prune/index.ts';
import { predictLogits } from '../engine/logits.ts';
import { batchOf, largestDifference, outputsOf, smallEncoder, tokenizerOfWords } from '../models/support.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';
import { classes, datasetArtifact, modelArtifact, runStage, smallDataset } from './training-rig.ts';

/** Float sums of fewer rows are the same sums: nothing may differ but their order in a fused kernel. */
const SAME = 1e-6;

const words = [
  '[UNK]',
  'rare',
  '[PAD]',
  'a',
  'cat',
  'dog',
  'runs',
  'sleeps',
  'the',
  'old',
  'small',
  '##s',
  'never',
  'q',
];
const tokenizer = tokenizerOfWords(words, [{ id: 2, content: '[PAD]', special: true }]);

const wide = (): Model => ({
  ...smallEncoder({ vocabulary: words.length + 2, labels: classes, tokens: { padding: 2, unknown: 0 } }),
  tokenizer,
});

const pruned = async (
  space: Workspace,
  model: Model,
  keep: unknown,
): Promise<{ readonly model: Model; readonly metrics: Metrics }> => {
  const inputs = {
    model: await modelArtifact(space, 'given', model),
    dataset: await datasetArtifact(space, smallDataset()),
  };
  const { output, metrics } = await runStage(space, prune, inputs, { keep }, { name: 'pruned' });
  return { model: await readModelArtifact(output.path), metrics };
};

const logitsOf = async (model: Model): Promise<readonly number[]> => {
  const { train, unlabelled } = smallDataset();
  const texts = [...train, ...unlabelled].map(({ text }) => text);
  const signal = new AbortController().signal;
  return Array.from(await predictLogits({ model, texts, maxLength: 10, threads: 1, batching: 'length', signal }));
};

describe('the vocabulary in use', () => {
  it('keeps what the texts use, special tokens and single characters, in model and tokenizer alike', async () => {
    using space = workspace();
    const { model, metrics } = await pruned(space, wide(), { vocabulary: 'used' });
    const cut = tokenizerOf(tokenizerIn(model));
    expect(Array.from({ length: cut.size }, (_, id) => cut.token(id))).toEqual(
      words.filter((word) => word !== 'rare' && word !== 'never'),
    );
    expect(tokenRows(model)).toBe(12);
    expect(model.info.processor.tokens).toEqual({ padding: 1, unknown: 0 });
    expect(model.info.dimensions.vocabulary).toBe(12);
    expect(metrics).toEqual({ structure: { vocabulary: { from: 16, to: 12, used: 8, coverage: 1 } } });
  });

  it('changes nothing that the model says about the texts', async () => {
    using space = workspace();
    const { model } = await pruned(space, wide(), { vocabulary: 'used' });
    expect(largestDifference(await logitsOf(model), await logitsOf(wide()))).toBeLessThan(SAME);
  });

  it('goes with cuts of other parts in one stage', async () => {
    using space = workspace();
    const { model, metrics } = await pruned(space, wide(), { vocabulary: 'used', heads: 2, ffn: 16 });
    expect(model.info.dimensions).toMatchObject({ vocabulary: 12, heads: 2, ffn: 16 });
    expect(Object.keys(Object(metrics.structure))).toEqual(
      expect.arrayContaining(['criterion', 'vocabulary', 'layer 0 heads']),
    );
  });
});

describe('a vocabulary of a given size', () => {
  it('keeps the most frequent tokens beside those that are always needed', async () => {
    using space = workspace();
    const { model, metrics } = await pruned(space, wide(), { vocabulary: 8 });
    const cut = tokenizerOf(tokenizerIn(model));
    const kept = Array.from({ length: cut.size }, (_, id) => cut.token(id));
    expect(kept).toHaveLength(8);
    expect(kept).toEqual(expect.arrayContaining(['[UNK]', '[PAD]', 'a', '##s', 'q']));
    expect(kept).not.toContain('rare');
    expect(Object(metrics.structure).vocabulary.coverage).toBeLessThan(1);
    expect((await logitsOf(model)).every(Number.isFinite)).toBe(true);
  });

  it.each([
    [20, 'keep.vocabulary: 20 tokens were to be kept of a tokenizer that has 14'],
    [4, 'keep.vocabulary: 4 tokens were to be kept, but special tokens and single characters alone are 5; keep more'],
  ])('%i is refused with what there is', async (count, message) => {
    using space = workspace();
    await expect(pruned(space, wide(), { vocabulary: count })).rejects.toMatchObject({ kind: 'stage', message });
  });
});

/** A model that predicts tokens from the table it looks them up in. */
const tied = (): Model => {
  const model = smallEncoder({ labels: [] });
  const builder = GraphBuilder.from(model.graph);
  const table = value('embeddings.word_embeddings.weight');
  const turned = builder.op('Transpose', [table], { perm: [1, 0] });
  const scores = builder.op('MatMul', [answerName(model.info.signature), turned]);
  const bias = builder.weight('cls.bias', { ...model.graph.weights.get(table), ...biasOf(10) });
  const logits = builder.op('Add', [scores, bias], {}, 'logits');
  const signature = answering(model.info.signature, tokenPort(logits));
  return { ...model, graph: builder.freeze([logits]), info: { ...model.info, task: 'fill-mask', signature } };
};

const biasOf = (length: number) => {
  const data = Float32Array.from({ length }, (_, i) => i / 10);
  const bytes = new Uint8Array(data.buffer);
  return { dtype: 'float32' as const, dims: [length], bytes: { length: bytes.length, read: () => bytes } };
};

describe('a model that predicts tokens', () => {
  it('loses the same tokens at its beginning and its end, the table shared as before', async () => {
    const model = tied();
    const kept = [0, 1, 3, 4, 8];
    const graph = keepTokens(model, kept);
    const [before] = await outputsOf(model.graph, [batchOf([[4, 8, 3]])]);
    const [after] = await outputsOf(graph, [batchOf([[3, 4, 2]])]);
    const expected = [0, 1, 2].flatMap((row) => kept.map((token) => before?.[row * 10 + token] ?? Number.NaN));
    expect(largestDifference(after ?? [], expected)).toBeLessThan(SAME);
    expect(graph.weights.get(value('embeddings.word_embeddings.weight'))?.dims).toEqual([5, 16]);
    expect([...graph.weights.values()].filter(({ dims }) => dims[0] === 5 && dims.length === 2)).toHaveLength(1);
  });

  it('whose positions skip padding by its id keeps that id, or is refused', () => {
    const model = smallEncoder();
    const builder = GraphBuilder.from(model.graph);
    const same = builder.op('Equal', [value('input_ids'), builder.scalar('int64', 1)], {}, 'is padding');
    const graph = builder.freeze([...model.graph.outputs, same]);
    expect(() => keepTokens({ ...model, graph }, [0, 2, 3])).toThrow(
      "Equal 'is padding' compares token ids with numbers, and the special token 1 would get another id",
    );
    expect(() => keepTokens({ ...model, graph }, [0, 1, 3])).not.toThrow();
  });
});
