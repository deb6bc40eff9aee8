import { describe, expect, it } from 'vitest';
import { evidenceOf } from '../../data/evidence.ts';
import { compareAnswers } from '../../data/written.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { text2text } from '../../engine/tasks/text2text.ts';
import { train } from '../../engine/train.ts';
import { editRate, exactMatch, natsPerToken } from '../../ground/metrics/index.ts';
import { figureOf } from '../../ground/metrics/metric.ts';
import { dataTask } from '../../ground/tasks.ts';
import { reinitialize } from '../../models/reinitialize.ts';
import { answersTo } from '../../stages/evaluate/answers.ts';
import { writeTexts } from '../../stages/evaluate/written.ts';
import { encodeExamples } from '../../stages/train/examples.ts';
import { tinyOptions, tinyRequest } from '../engine/rig.ts';
import { dataset, tinyT5 } from './tiny.ts';

const nothing = { threads: 1, signal: new AbortController().signal, progress: () => {} };

describe('an encoder-decoder from random weights', () => {
  it('learns to copy letters as capitals, and is judged by the answers that it writes', async () => {
    const model = reinitialize(tinyT5(), 1);
    const reading = { model, task: text2text, dataset };
    const options = {
      ...tinyOptions,
      tokenDropout: 0,
      learningRate: 1e-2,
      headLearningRate: 1e-2,
      batch: 16,
      epochs: 16,
    };
    const trained = await train(
      tinyRequest({
        ...{ model, task: text2text, options },
        phases: [{ losses: text2text.targetLosses({ hard: 1, temperature: 1, labelSmoothing: 0 }), until: 1 }],
        examples: await encodeExamples('training', dataset.train, reading),
        validation: await encodeExamples('validation', dataset.validation, reading),
      }),
    );
    const written = await writeTexts(trained.model, dataset, nothing);
    if (written === undefined) throw new Error('there are answers');
    const { encoded, targets } = await encodeExamples('test', dataset.test, { ...reading, model: trained.model });
    const predictions = await answersTo(
      { model: trained.model, dataset, encoded, targets, written },
      { ...nothing, engine: async () => cpuEngine },
    );
    const evidence = evidenceOf({ task: dataTask('text2text'), classes: [] }, predictions, predictions);
    if (evidence === null) throw new Error('tokens are evidence');
    // Eight letters and an end somewhere: 1.9 nats for whoever does not read the source.
    expect(figureOf(natsPerToken, evidence.judged)).toBeLessThan(1.6);
    const compared = dataset.test.map(({ pair = '' }, text) => compareAnswers(written.texts.get(text) ?? '', pair));
    const right = compared.filter(({ exact }) => exact).length;
    expect(figureOf(exactMatch, evidence.judged)).toBeCloseTo(right / dataset.test.length, 10);
    const sum = (key: 'edits' | 'words') => compared.reduce((total, one) => total + one[key], 0);
    expect(figureOf(editRate, evidence.judged)).toBeCloseTo(sum('edits') / sum('words'), 10);
    expect(written.sample.prompt).toBe(dataset.test[0]?.text);
  });
});

describe('a written answer', () => {
  it('is compared word by word, whatever spaces stand between them', () => {
    expect(compareAnswers('  HH AH  L OW ', 'HH AH L OW')).toEqual({ exact: true, edits: 0, words: 4 });
    expect(compareAnswers('HH EH L', 'HH AH L OW')).toEqual({ exact: false, edits: 2, words: 4 });
    expect(compareAnswers('', 'K AE T')).toEqual({ exact: false, edits: 3, words: 3 });
    expect(compareAnswers('K A E T', 'K AE T').edits).toBe(2);
  });
});
