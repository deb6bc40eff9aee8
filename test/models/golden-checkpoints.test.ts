import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tokenizerOf } from '../../data/tokenize.ts';
import type { Program } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import type { Value } from '../../graph/graph.ts';
import { hiddenStatesOf } from '../../models/anatomy/hidden-states.ts';
import { knownModelTypes } from '../../models/architectures/index.ts';
import { type Model, tokenizerIn } from '../../models/model.ts';
import { answerName } from '../../models/signature.ts';
import { goldenDecoders, typeOfDecoder } from '../decoders/golden.ts';
import {
  aloneOf,
  expectedOf,
  feedsOf,
  type GoldenBatch,
  goldenNames,
  importGolden,
  keptOf,
  modelTypeOf,
} from './golden-checkpoints.ts';
import { largestDifference } from './support.ts';

/** Float32 sums in another order than PyTorch's, over outputs of up to 10. The files hold six digits. */
const PYTORCH = 1e-4;
/** Float32 sums in another order. */
const ROUNDING = 2e-5;

/** Of these the token behind the last one is looked at: MobileBERT's embeddings read their neighbours, padding too. */
const readsPadding = (name: string): boolean => name.startsWith('mobilebert') && name !== 'mobilebert-features';

test('there is a golden checkpoint of every architecture', () => {
  const types = [...goldenNames.map(modelTypeOf), ...goldenDecoders.map(typeOfDecoder)];
  expect([...new Set(types)].sort()).toEqual([...knownModelTypes()]);
});

const known = new Set(knownModelTypes());

describe.each(goldenNames.filter((name) => known.has(modelTypeOf(name))))('the golden checkpoint %s', (name) => {
  const expected = expectedOf(name);
  let model: Model;
  let program: Program;
  const run = async (batch: GoldenBatch): Promise<readonly number[]> => {
    const outputs = await program.run(feedsOf(model.info, batch));
    return Array.from(outputs[answerName(model.info.signature)]?.data ?? [], Number);
  };

  beforeAll(async () => {
    model = await importGolden(name);
    program = await cpuEngine.compile(model.graph, { threads: 1 });
  });
  afterAll(() => program.release());

  // Padding attends differently in different frameworks, and nobody reads it: real tokens are compared.
  test('puts out what PyTorch does', async () => {
    expect(answerName(model.info.signature)).toBe(expected.output);
    const found = await run(expected);
    expect(found).toHaveLength(expected.values.length);
    const [ours, theirs] = [found, expected.values].map((values) => keptOf(values, expected.dims, expected));
    expect(largestDifference(ours ?? [], theirs ?? [])).toBeLessThan(PYTORCH);
  });

  test.skipIf(readsPadding(name))('gives a text alone what it gives it in a padded batch', async () => {
    const whole = await run(expected);
    const width = whole.length / expected.ids.length;
    for (const row of expected.ids.keys()) {
      const alone = aloneOf(expected, row);
      const dims = [1, ...expected.dims.slice(1)];
      const padded = { ids: [expected.ids[row] ?? []], mask: [expected.mask[row] ?? []] };
      const inBatch = keptOf(whole.slice(row * width, (row + 1) * width), dims, padded);
      expect(largestDifference(await run(alone), inBatch)).toBeLessThan(ROUNDING);
    }
  });

  test('cuts texts, and pairs of them, into the ids and types that Python finds', async () => {
    const tokenizer = tokenizerOf(tokenizerIn(model));
    for (const [row, text] of expected.text.entries()) {
      const pair = expected.pair?.[row];
      const input = pair === undefined ? text : { text, pair };
      const { ids, types } = await tokenizer.encode(input, model.info.maxLength);
      const alone = aloneOf(expected, row);
      expect(Array.from(ids)).toEqual(alone.ids[0]);
      if (alone.types !== undefined) expect(Array.from(types ?? ids.map(() => 0))).toEqual(alone.types[0]);
    }
  });

  test('lists the stream after each layer, each as wide as the features', () => {
    const { dimensions } = model.info;
    const states = hiddenStatesOf(model);
    expect(states).toHaveLength(dimensions.layers ?? 0);
    const width = (name: Value) => model.graph.types.get(name)?.shape?.at(-1);
    expect(states.map(width)).toEqual(states.map(() => dimensions.hidden));
  });
});
