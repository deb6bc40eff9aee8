import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answersAbout, forEachAnswer } from '../../engine/answers.ts';
import { predict } from '../../engine/predict.ts';
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
  const { scores, answers } = await predict({ model, texts, maxLength: 12, threads: 1, batching });
  return texts.map((_, t) => [
    ...scores.logits.subarray(4 * (answers.starts[t] ?? 0), 4 * (answers.starts[t + 1] ?? 0)),
  ]);
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
