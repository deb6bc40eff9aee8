import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { idTargets } from '../../data/answer-targets.ts';
import { blankRows, putRow } from '../../data/rows.ts';
import { answersAbout, placed } from '../../engine/answers.ts';
import { BatchFeeder } from '../../engine/batch-feeder.ts';
import { encodedText } from '../../engine/encoded.ts';
import { crossEntropy } from '../../engine/losses/index.ts';
import { buildStep } from '../../engine/step.ts';
import { sizeOfUpdate } from '../../engine/step-batch.ts';
import { value } from '../../graph/graph.ts';
import { withTokenHead } from '../../models/head.ts';
import type { Model } from '../../models/model.ts';
import { reinitializeGraph } from '../../models/reinitialize.ts';
import { answering, type OutputRole, type Port, textPort, tokenPort } from '../../models/signature.ts';
import { smallEncoder } from '../models/support.ts';
import { distillation } from './imitating.ts';
import { predictTexts } from './logits.ts';

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
  const { rows, answers } = await predictTexts({ model, texts, maxLength: 12, threads: 1, batching });
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
    expect(fresh.info).toMatchObject({ task: 'token-classification', labels: tags });
    expect(fresh.info.signature.outputs).toEqual([tokenPort(value('logits'))]);
    expect(withTokenHead(fresh, tags)).toBe(fresh);
    expect(() => withTokenHead(fresh, ['x', 'y'])).toThrow(
      'the model already tells 4 (det, noun, verb ...) classes apart, the data has 2 (x, y) classes of words; start from a model without a head',
    );
    expect(() => withTokenHead(smallEncoder(), tags)).toThrow(
      'the model is made for text-classification, the data has',
    );
  });
});

describe('words beyond the end of their text', () => {
  const model = tagger();
  const encoded = [encodedText({ ids: Int32Array.of(1, 2, 3), words: Int32Array.of(0, 1, -1, -1) })];
  const examples = { encoded, targets: idTargets([0, 1, 2, 3]), teacher: blankRows(4, tags.length) };
  const batch = { rows: Int32Array.of(0), length: 3 };
  const answers = answersAbout(encoded);
  const settings = { hard: 0.5, temperature: 1, labelSmoothing: 0 };
  const feeds = () => {
    const { inputs } = buildStep(model, { losses: [crossEntropy(settings), distillation(settings)] });
    const feeder = new BatchFeeder(model.info, { examples, seed: 1, options: { tokenDropout: 0 } });
    return feeder.feeds(inputs, { batch, size: sizeOfUpdate([batch], answers), step: 0 });
  };

  it('have no part in the mean of the loss', () => {
    expect(sizeOfUpdate([batch], answers)).toEqual({ answers: 2, tokens: 3 });
    expect([...(feeds().labels?.data ?? [])].map(Number)).toEqual([0, 1, 0]);
    // Half of the loss goes to the labels, a half of it to each of the two words that are left.
    expect([...(feeds().label_weights?.data ?? [])]).toEqual([0.25, 0.25, 0]);
  });

  it('are not learned from a teacher that did not read them, nor from one whose own answers say nothing', () => {
    putRow(examples.teacher, 0, Float32Array.of(1, 1, 1, 1));
    expect([...(feeds().teacher_weights?.data ?? [])]).toEqual([0.25, 0, 0]);
    expect([...(feeds().teacher_answers?.data ?? [])]).toEqual([1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  });
});

describe('answers', () => {
  const ids = new Int32Array(4);
  const batch = { rows: Int32Array.of(1, 0), length: 4 };
  const words = [encodedText({ ids, words: Int32Array.of(1, 3, -1) }), encodedText({ ids, words: Int32Array.of(2) })];
  const signature = ({ name, ...port }: Port<OutputRole>) => answering(tagger().info.signature, { name, ...port });

  it('stand at texts or at the first tokens of words; those of words cut off stand nowhere', () => {
    expect(placed(answersAbout(words), batch, signature(tokenPort(value('logits'))))).toEqual({
      ...{ numbers: Int32Array.of(3, 0, 1), rows: Int32Array.of(2, 5, 7), dims: [2, 4] },
    });
    const whole = answersAbout([encodedText({ ids }), encodedText({ ids })]);
    expect(placed(whole, batch, signature(textPort(value('logits'))))).toEqual({
      ...{ numbers: Int32Array.of(1, 0), rows: Int32Array.of(0, 1), dims: [2] },
    });
  });

  it('stand one after the other where a model is asked about places alone', () => {
    const port = { name: value('logits'), role: 'scores', axes: ['answers', 'width'] } as const;
    expect(placed(answersAbout(words), batch, signature(port))).toEqual({
      ...{ numbers: Int32Array.of(3, 0, 1), rows: Int32Array.of(0, 1, 2), dims: [3] },
    });
  });
});
