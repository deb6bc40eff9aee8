import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blankRows, putRow } from '../../data/rows.ts';
import { answersAbout, forEachAnswer } from '../../engine/answers.ts';
import { batchFeeds, sizeOfUpdate } from '../../engine/feeds.ts';
import { lossInputs } from '../../engine/losses/index.ts';
import { predict } from '../../engine/predict.ts';
import { value } from '../../graph/graph.ts';
import type { Model } from '../../models/model.ts';
import { reinitializeGraph } from '../../models/reinitialize.ts';
import { withTokenHead } from '../../models/token-head.ts';
import { smallEncoder } from '../models/support.ts';

const words = ['a', 'cat', 'dog', 'runs', 'sleeps', 'the', 'old', 'small', 'unknown'];
const tags = ['det', 'noun', 'verb', 'adjective'];

/** Logits around one in float32, summed in another order. */
const ROUNDING = 2e-5;

/** A tagger whose head does not start at zero, so that its answers differ. */
const tagger = (): Model => {
  const model = withTokenHead(smallEncoder({ labels: [] }), tags);
  return { ...model, graph: reinitializeGraph(model.graph, 3) };
};

const logitsOf = async (model: Model, texts: readonly string[], batching: 'length' | 'single') => {
  const { rows, answers } = await predict({ model, texts, maxLength: 12, threads: 1, batching });
  return texts.map((_, t) => [...rows.data.subarray(4 * (answers.starts[t] ?? 0), 4 * (answers.starts[t + 1] ?? 0))]);
};

const text = fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 12 }).map((list) => list.join(' '));

describe('a tagger', () => {
  it('says the same of every word, whatever else is in the batch', async () => {
    const model = tagger();
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 6 }), async (texts) => {
        const [together, alone] = [await logitsOf(model, texts, 'length'), await logitsOf(model, texts, 'single')];
        texts.forEach((one, t) => {
          expect(together[t]?.length).toBe(4 * one.split(' ').length);
          together[t]?.forEach((logit, i) => {
            expect(Math.abs(logit - (alone[t]?.[i] ?? Number.NaN))).toBeLessThan(ROUNDING);
          });
        });
      }),
      { numRuns: 10 },
    );
  });

  it('starts without an opinion, and keeps the head that it has', () => {
    const fresh = withTokenHead(smallEncoder({ labels: [] }), tags);
    expect(fresh.info).toMatchObject({ task: 'token-classification', labels: tags, output: 'logits' });
    expect(withTokenHead(fresh, tags)).toBe(fresh);
    expect(() => withTokenHead(fresh, ['x', 'y'])).toThrow(
      'the model already tags words with 4 (det, noun, verb ...) classes, the data has 2 (x, y) classes of words; start from a model without a head',
    );
    expect(() => withTokenHead(smallEncoder(), tags)).toThrow(
      'the model is made for text-classification, the data has',
    );
  });
});

describe('words beyond the end of their text', () => {
  const { info } = tagger();
  const ids = Int32Array.of(1, 2, 3);
  const examples = {
    texts: [{ ids, words: Int32Array.of(0, 1, -1, -1) }],
    labels: Int32Array.of(0, 1, 2, 3),
    teacher: blankRows(4, tags.length),
  };
  const batch = { rows: Int32Array.of(0), length: 3 };
  const answers = answersAbout(examples.texts);
  const feeds = () =>
    batchFeeds(
      {
        ...{ info, examples, answers, weights: { hard: 0.5, hidden: 0 }, seed: 1 },
        options: { tokenDropout: 0, labelSmoothing: 0 },
        wanted: new Set(Object.values(lossInputs).map((name) => value(name))),
      },
      batch,
      sizeOfUpdate([batch], answers),
      [0, 0],
    );

  it('have no part in the mean of the loss', () => {
    expect(sizeOfUpdate([batch], answers)).toEqual({ answers: 2, tokens: 3 });
    // Half of the loss goes to the labels, a half of it to each of the two words that are left.
    expect([...(feeds()[lossInputs.targets]?.data ?? [])]).toEqual([0.25, 0, 0, 0, 0, 0.25, 0, 0, 0, 0, 0, 0]);
  });

  it('are not learned from a teacher that did not read them', () => {
    putRow(examples.teacher, 0, Float32Array.of(3, 1, 1, 1));
    expect([...(feeds()[lossInputs.softWeights]?.data ?? [])]).toEqual([0.25, 0, 0]);
  });
});

describe('answers', () => {
  it('stand at texts or at the first tokens of words; those of words cut off stand nowhere', () => {
    const ids = new Int32Array(4);
    const answers = answersAbout([
      { ids, words: Int32Array.of(1, 3, -1) },
      { ids, words: Int32Array.of(2) },
    ]);
    const seen: [number, number][] = [];
    forEachAnswer(answers, { rows: Int32Array.of(1, 0), length: 4 }, (answer, row) => seen.push([answer, row]));
    expect(seen).toEqual([
      [3, 2],
      [0, 5],
      [1, 7],
    ]);
    const whole: [number, number][] = [];
    forEachAnswer(answersAbout([{ ids }, { ids }]), { rows: Int32Array.of(1, 0), length: 4 }, (answer, row) =>
      whole.push([answer, row]),
    );
    expect(whole).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });
});
