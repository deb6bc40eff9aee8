import { beforeAll, describe, expect, test } from 'vitest';
import { idTargets } from '../../data/answer-targets.ts';
import { stream } from '../../data/random.ts';
import { type Encoded, encodedText } from '../../engine/encoded.ts';
import { applyCuts } from '../../graph/cut/index.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import { float32Of, tensorOf } from '../../graph/tensor.ts';
import { anatomyOf, type Part, partsOf } from '../../models/anatomy.ts';
import type { Model } from '../../models/model.ts';
import { answerName } from '../../models/signature.ts';
import { type Compensation, compensated } from '../../stages/prune/compensation/index.ts';
import type { Subject } from '../../stages/prune/criteria/criterion.ts';
import { batchesOf } from '../../stages/prune/examples.ts';
import { importGolden } from '../models/golden-checkpoints.ts';
import { outputsOf } from '../models/support.ts';

/** Neurons that others repeat can go without a loss, but for the damping of one per cent. */
const REPEATED = 0.05;

let model: Model;
beforeAll(async () => {
  model = await importGolden('bert');
});

/** Made-up texts of a checkpoint: tokens behind the first five, which are special. */
const drawn = (count: number, seed: number): readonly Encoded[] => {
  const random = stream(seed, 'texts');
  const others = (model.info.dimensions.vocabulary ?? 0) - 5;
  const ids = () => Int32Array.from({ length: 6 + random.integer(6) }, () => 5 + random.integer(others));
  return Array.from({ length: count }, () => encodedText({ ids: ids() }));
};

const batched = (encoded: readonly Encoded[]) =>
  batchesOf({ encoded, targets: idTargets(encoded.map((_, i) => i % model.info.labels.length)) }, model.info);

const subjectOf = (graph: Graph, encoded: readonly Encoded[]): Subject => ({
  ...{ graph, model, asked: undefined },
  batches: async () => batched(encoded),
  examples: async () => encoded,
  ...{ seed: 1, threads: 1, signal: new AbortController().signal },
  progress: () => undefined,
});

const partsIn = (graph: Graph, kind: Part['kind']): readonly Part[] =>
  partsOf(anatomyOf(graph)).filter((part) => part.kind === kind);

/** Root of the mean squared difference between values of two graphs, over texts. */
const errorOf = async (graph: Graph, whole: Graph, value: Value, encoded: readonly Encoded[]): Promise<number> => {
  const feeds = batched(encoded).map((batch) => batch.feeds);
  const valuesOf = async (one: Graph) => (await outputsOf({ ...one, outputs: [value] }, feeds)).flat();
  const [cut, dense] = [await valuesOf(graph), await valuesOf(whole)];
  return Math.sqrt(cut.reduce((sum, x, i) => sum + (x - (dense[i] ?? 0)) ** 2, 0) / cut.length);
};

const half = (part: Part): readonly number[] => Array.from({ length: part.count / 2 }, (_, unit) => unit);

const cutWith = async (graph: Graph, how: Compensation, parts: readonly Part[], encoded: readonly Encoded[]) => {
  const chosen = new Map(parts.map((part) => [part, half(part)]));
  const ready = await compensated(subjectOf(graph, encoded), how, chosen);
  return applyCuts(
    ready,
    parts.flatMap(({ group }) => group ?? []),
    [...chosen.values()],
  );
};

/** The second half of the neurons does what the first half does. */
const repeating = (graph: Graph, { group, count }: Part): Graph => {
  const weights = new Map(graph.weights);
  for (const { value, axis, owner } of group?.weights ?? []) {
    const tensor = weights.get(value);
    const isReader = tensor?.dims.length === 2 && axis === 0;
    if (tensor === undefined || isReader) continue;
    const [data, stride] = [float32Of(tensor), tensor.dims.slice(axis + 1).reduce((a, b) => a * b, 1)];
    const repeated = data.map((w, i) => {
      const unit = owner[Math.floor(i / stride) % owner.length] ?? 0;
      return unit < count / 2 ? w : (data[i - (count / 2) * stride] ?? 0);
    });
    weights.set(value, tensorOf('float32', tensor.dims, repeated));
  }
  return { ...graph, weights };
};

describe('least squares', () => {
  test('make up for neurons that others repeat', async () => {
    const [first] = partsIn(model.graph, 'ffn');
    if (first === undefined) throw new Error('no neurons');
    const graph = repeating(model.graph, first);
    const parts = partsIn(graph, 'ffn').slice(0, 1);
    const logits = answerName(model.info.signature);
    const texts = drawn(16, 1);
    const error = async (how: Compensation) => errorOf(await cutWith(graph, how, parts, texts), graph, logits, texts);
    expect(await error('least-squares')).toBeLessThan(REPEATED * (await error('none')));
  });

  test.each(['ffn', 'heads'] as const)(
    'bring the answers without half of the %s nearer than means do',
    async (kind) => {
      const parts = partsIn(model.graph, kind);
      const logits = answerName(model.info.signature);
      const [seen, others] = [drawn(48, 1), drawn(24, 2)];
      const error = async (how: Compensation) =>
        errorOf(await cutWith(model.graph, how, parts, seen), model.graph, logits, others);
      expect(await error('least-squares')).toBeLessThan(await error('means'));
    },
  );

  test('change no model from which nothing goes', async () => {
    const chosen = new Map(
      partsIn(model.graph, 'ffn').map((part) => [part, Array.from({ length: part.count }, (_, i) => i)]),
    );
    const ready = await compensated(subjectOf(model.graph, drawn(2, 1)), 'least-squares', chosen);
    expect(ready.weights).toEqual(model.graph.weights);
  });
});
