import { describe, expect, it } from 'vitest';
import { lengthBatches } from '../../data/batches.ts';
import type { EncodedText } from '../../data/tokenize.ts';
import { encodedText, tokensOf } from '../../engine/encoded.ts';
import { feedsFor, filledFeeds } from '../../engine/feeds.ts';
import { train } from '../../engine/train.ts';
import { value } from '../../graph/graph.ts';
import { float32Of } from '../../graph/tensor.ts';
import type { Model } from '../../models/model.ts';
import { smallEncoder, withTypes } from '../models/support.ts';
import { hiddenStates } from './imitating.ts';
import { predictLogits } from './logits.ts';
import { bytesOfModel, CLASSES, labelsAlone, tinyModel, tinyOptions, tinyRequest } from './rig.ts';

/** Logits around one in float32. */
const ROUNDING = 1e-6;

const single: EncodedText = { ids: Int32Array.of(3, 4, 5) };
const pair: EncodedText = { ids: Int32Array.of(3, 4, 5, 6, 7), types: Uint8Array.of(0, 0, 1, 1, 1) };

const read = [single, pair].map(encodedText);

const plain = tinyModel();
const typed = withTypes(plain);

describe('token types', () => {
  it('fill a batch, 0 in padding and in single texts', () => {
    const [batch = { rows: new Int32Array(), length: 0 }] = lengthBatches([3, 5], 2);
    const { token_type_ids: types } = feedsFor(typed.info, read, batch);
    expect([...(types?.data ?? [])].map(Number)).toEqual([0, 0, 1, 1, 1, 0, 0, 0, 0, 0]);
  });

  it('are fed to models that have such an input, and to no other', () => {
    const batch = { rows: Int32Array.of(0), length: 5 };
    expect(Object.keys(feedsFor(plain.info, [encodedText(pair)], batch))).toEqual(['input_ids', 'attention_mask']);
    expect(feedsFor(typed.info, [encodedText(pair)], batch).token_type_ids?.data).toEqual(
      BigInt64Array.of(0n, 0n, 1n, 1n, 1n),
    );
    const filled = filledFeeds(typed.info, read, { batch: 2, length: 4 });
    expect([...(filled.input_ids?.data ?? [])].map(Number)).toEqual([3, 4, 5, 3, 4, 5, 6, 7]);
    expect([...(filled.token_type_ids?.data ?? [])].map(Number)).toEqual([0, 0, 0, 0, 0, 1, 1, 1]);
  });

  it('look up the rows that a model has for them', async () => {
    const small = smallEncoder();
    const say = async (model: Model, text: EncodedText): Promise<readonly number[]> => [
      ...(await predictLogits({ model, texts: [text], maxLength: 12, threads: 1, batching: 'single' })),
    ];
    const shift = (share: number): readonly number[] =>
      Array.from({ length: CLASSES }, (_, c) => (1 - share) * Math.sin(c + 1) + share * Math.sin(CLASSES + c + 1));
    for (const [text, share] of [
      [single, 0],
      [pair, 3 / 5],
    ] as const) {
      const [before, after, moved] = [await say(small, text), await say(withTypes(small), text), shift(share)];
      for (const [c, logit] of after.entries()) {
        expect(Math.abs(logit - (before[c] ?? 0) - (moved[c] ?? 0))).toBeLessThan(ROUNDING);
      }
    }
  });

  it('train the table that they look up', async () => {
    const { examples } = tinyRequest();
    // Of one length: the row of type 0 would be read in padding.
    const encoded = examples.encoded.map((one) =>
      encodedText({ ids: Int32Array.from(tokensOf(one)).slice(0, 3), types: Uint8Array.of(1, 1, 1) }),
    );
    const options = { ...tinyOptions, epochs: 1, weightDecay: 0 };
    const { model } = await train(tinyRequest({ model: typed, examples: { ...examples, encoded }, options }));
    const table = (of: Model): readonly number[] => {
      const tensor = of.graph.weights.get(value('token_type_logits.weight'));
      return tensor === undefined ? [] : [...float32Of(tensor)];
    };
    expect(table(model).slice(0, CLASSES)).toEqual(table(typed).slice(0, CLASSES));
    expect(table(model).slice(CLASSES)).not.toEqual(table(typed).slice(CLASSES));
  });

  it('reach a teacher whose student has none, and the other way round', async () => {
    const { examples } = tinyRequest();
    const typesOf = (type: number) => ({
      ...examples,
      encoded: examples.encoded.map((one) => {
        const ids = Int32Array.from(tokensOf(one));
        return encodedText({ ids, types: new Uint8Array(ids.length).fill(type) });
      }),
    });
    const taught = async (student: Model, teacher: Model, type: number): Promise<string> => {
      const hidden = hiddenStates(student, { model: teacher }, { pairs: [[1, 1]], weight: 1 });
      const phases = [{ losses: [labelsAlone, hidden], until: 1 }];
      const request = tinyRequest({ model: student, examples: typesOf(type), phases });
      const { model } = await train({ ...request, options: { ...tinyOptions, epochs: 1 } });
      return bytesOfModel(model);
    };
    expect(await taught(plain, typed, 1)).not.toBe(await taught(plain, typed, 0));
    expect(await taught(plain, plain, 1)).toBe(await taught(plain, plain, 0));
    expect(await taught(typed, plain, 1)).not.toBe(await taught(typed, plain, 0));
  });
});
