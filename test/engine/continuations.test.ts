import { describe, expect, it } from 'vitest';
import { idTargets } from '../../data/answer-targets.ts';
import { blankRows, putRow } from '../../data/rows.ts';
import { answersAbout } from '../../engine/answers.ts';
import { BatchFeeder } from '../../engine/batch-feeder.ts';
import { encodedText } from '../../engine/encoded.ts';
import { continuations } from '../../engine/losses/index.ts';
import { buildStep } from '../../engine/step.ts';
import { sizeOfUpdate } from '../../engine/step-batch.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import { withTokenHead } from '../../models/head.ts';
import { smallEncoder } from '../models/support.ts';
import { usualImitation } from './imitating.ts';

const classes = ['O', 'B-PER', 'I-PER', 'B-LOC'];
const model = withTokenHead(smallEncoder({ labels: [] }), classes, 'named-entities');

/** [CLS] Ol ##aus sat in Ro ##m ##e . [SEP] and a shorter text. */
const encoded = [
  encodedText({
    ids: Int32Array.from({ length: 10 }, (_, i) => i + 1),
    words: Int32Array.of(1, 3, 4, 5, 8),
    continued: Uint8Array.of(0, 0, 1, 0, 0, 0, 1, 1, 0, 0),
  }),
  encodedText({ ids: Int32Array.of(1, 2, 3, 4), words: Int32Array.of(1), continued: Uint8Array.of(0, 0, 1, 0) }),
];
const batch = { rows: Int32Array.of(1, 0), length: 10 };
const size = sizeOfUpdate([batch], answersAbout(encoded));

const feedsOf = (tags: readonly number[], teacher?: ReturnType<typeof blankRows>) => {
  const { inputs } = buildStep(model, { losses: [continuations({ classes })] });
  const examples = { encoded, targets: idTargets(tags), ...(teacher === undefined ? {} : { teacher }) };
  const feeder = new BatchFeeder(model.info, { examples, seed: 1, options: { tokenDropout: 0 } });
  const feeds = feeder.feeds(inputs, { batch, size, step: 0 });
  return {
    labels: Array.from(feeds.continued_labels?.data ?? [], Number),
    weights: Array.from(feeds.continued_weights?.data ?? [], Number),
  };
};

/** What stands at the positions of the batch: those of the shorter text come first. */
const at = (positions: Readonly<Record<number, number>>): readonly number[] =>
  Array.from({ length: 20 }, (_, i) => positions[i] ?? 0);

describe('the tokens with which words go on', () => {
  it('have the class that goes on with their word, and all others no part', () => {
    const { labels, weights } = feedsOf([1, 0, 0, 3, 0, 2]);
    const share = Math.fround(1 / 6);
    // B-LOC has no I-LOC to go on with, so that it stays what it is.
    expect(labels).toEqual(at({ 2: 2, 12: 2, 16: 3, 17: 3 }));
    expect(weights).toEqual(at({ 2: share, 12: share, 16: share, 17: share }));
  });

  it('follow the teacher where no label is known', () => {
    const teacher = blankRows(6, classes.length);
    for (let word = 0; word < 6; word++) putRow(teacher, word, Float32Array.of(0, 1, 0, 0));
    const { labels, weights } = feedsOf([-1, -1, -1, 3, -1, 0], teacher);
    expect(labels).toEqual(at({ 2: 0, 12: 2, 16: 3, 17: 3 }));
    expect(weights.filter((weight) => weight > 0)).toHaveLength(4);
  });

  it('have no part where nobody knows their class', () => {
    expect(feedsOf([-1, -1, -1, 3, -1, -1]).weights.map(Math.sign)).toEqual(at({ 16: 1, 17: 1 }));
  });

  it('are taught by the labels, or by the teacher where there is one, never twice', () => {
    const task = taskOf('named-entities');
    const names = (hard: number) => {
      const settings = { hard, temperature: 1, labelSmoothing: 0, classes };
      return [task.targetLosses(settings), usualImitation(task, settings)].map((losses) =>
        losses.map(({ name }) => name),
      );
    };
    expect(names(1)).toEqual([['cross-entropy', 'continuations'], ['kl']]);
    expect(names(0.5)).toEqual([['cross-entropy'], ['kl', 'continuations']]);
  });
});
