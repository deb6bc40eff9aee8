import { describe, expect, it } from 'vitest';
import { byteSurprise } from '../../data/byte-model.ts';
import { evidenceOf } from '../../data/evidence.ts';
import { tokenizerOf } from '../../data/tokenize.ts';
import { endOfTextId } from '../../data/tokenizers/bpe.ts';
import { tokensOf } from '../../engine/encoded.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { textsOfPass } from '../../engine/passes.ts';
import { textGeneration } from '../../engine/tasks/text-generation.ts';
import { bitsPerByte, natsPerToken } from '../../ground/metrics/index.ts';
import { figureOf } from '../../ground/metrics/metric.ts';
import { dataTask } from '../../ground/tasks.ts';
import { tokenizerIn } from '../../models/model.ts';
import { answersTo } from '../../stages/evaluate/answers.ts';
import { encodeExamples } from '../../stages/train/examples.ts';
import { scoresOf } from './scores.ts';
import { dataset, MAX_LENGTH, tinyDecoder } from './tiny.ts';

const model = tinyDecoder();
const nothing = { threads: 1, signal: new AbortController().signal, progress: () => {} };

describe('texts for a decoder', () => {
  it('are cut into stretches that ask for every token once, the end among them, and for none across two texts', async () => {
    const texts = dataset.test.map(({ text }) => text);
    const whole = await tokenizerOf(tokenizerIn(model)).encodeBatch(texts, 10_000);
    const encoded = await textGeneration.encode(model, dataset.test, MAX_LENGTH);
    expect(encoded.length).toBeGreaterThan(dataset.test.length);
    whole.forEach(({ ids }, text) => {
      const own = encoded.filter((one) => one.text === text);
      const asked = own.flatMap(({ places = [], byRole }) => Array.from(places, (place) => byRole.next?.[place]));
      expect(asked).toEqual([...ids.slice(1), endOfTextId]);
      for (const { length } of own.slice(0, -1)) expect(length).toBe(MAX_LENGTH);
      expect(own.flatMap((one) => [...tokensOf(one)])).toEqual([...ids]);
    });
  });

  it('ask for the answers of prompts alone', async () => {
    const [prompt, answer] = ['the old', ' dog sleeps'];
    const { ids } = await tokenizerOf(tokenizerIn(model)).encode({ text: prompt, pair: answer }, 100);
    const asked = (await tokenizerOf(tokenizerIn(model)).encode(answer, 100)).ids.slice(1);
    const [one, ...others] = await textGeneration.encode(model, [{ text: prompt, pair: answer }], MAX_LENGTH);
    expect(others).toEqual([]);
    expect([...(one?.byRole.tokens ?? [])]).toEqual([...ids]);
    expect(Array.from(one?.places ?? [], (place) => one?.byRole.next?.[place])).toEqual([...asked, endOfTextId]);
  });

  it('are judged over documents, by nats a token and bits a byte of the very texts', async () => {
    const reading = { model, task: textGeneration, dataset };
    const { encoded, targets } = await encodeExamples('test', dataset.test, reading);
    const predictions = await answersTo(
      { model, dataset, encoded, targets },
      { ...nothing, engine: async () => cpuEngine },
    );
    expect(new Set(predictions.groups)).toEqual(new Set(dataset.test.map(({ id }) => id)));
    const size = dataset.test.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
    expect(predictions.bytes?.reduce((a, b) => a + b, 0)).toBe(size);
    const evidence = evidenceOf({ task: dataTask('text-generation'), classes: [] }, predictions, predictions);
    if (evidence === null) throw new Error('tokens are evidence');
    const nats = figureOf(natsPerToken, evidence.judged);
    expect(nats).toBeGreaterThan(0);
    expect(figureOf(bitsPerByte, evidence.judged)).toBeCloseTo((nats * targets.data.length) / Math.LN2 / size, 10);
  });

  it('go through a model in passes whose scores stay small', () => {
    const types = new Map(model.graph.types);
    for (const output of model.graph.outputs) types.set(output, { dtype: 'float32', shape: [1, 1, 2 ** 16] });
    const texts = textsOfPass({ ...model, graph: { ...model.graph, types } }, 64);
    expect([texts(1), texts(8), texts(256), texts(100_000)]).toEqual([64, 32, 1, 1]);
  });
});

describe('the scores of a decoder', () => {
  it('follow from what stands before, whatever comes behind and however batches are filled up', async () => {
    const largest = (all: readonly number[]): number => Math.max(...all);
    const together = [
      [0, 20, 30, 40, 50, 60],
      [0, 20, 30, 41, 51],
    ];
    const scores = await scoresOf(model, together, largest);
    const [alone = []] = await scoresOf(model, [[0, 20, 30]], largest);
    expect(alone).toHaveLength(3);
    for (const row of scores) for (const at of alone.keys()) expect(row[at]).toBeCloseTo(alone[at] ?? 0, 5);
    expect(Math.abs((scores[0]?.[3] ?? 0) - (scores[1]?.[3] ?? 0))).toBeGreaterThan(1e-3);
  });
});

describe('a model of five bytes', () => {
  it('knows nothing at first, and falls back on shorter contexts by how many bytes follow them', async () => {
    expect(await byteSurprise([], ['any'])).toEqual({ bits: 24, bytes: 3 });
    // Four of four bytes, one kind: (4 + 1/256) / (4 + 1).
    const first = -Math.log2((4 + 1 / 256) / 5);
    expect((await byteSurprise(['aaaa'], ['a'])).bits).toBeCloseTo(first, 12);
    // Behind an a, which stood there four times and was followed thrice: its own first guess is the fallback.
    expect((await byteSurprise(['aaaa'], ['aa'])).bits - first).toBeCloseTo(-Math.log2((3 + 2 ** -first) / 5), 12);
  });

  it('is the less surprised the more texts resemble those that it has seen', async () => {
    const seen = Array.from({ length: 300 }, (_, i) => `line ${i}: the old dog sleeps quietly\n`);
    const { bits, bytes } = await byteSurprise(seen, ['line 17: the old dog sleeps quietly\n']);
    expect(bits / bytes).toBeLessThan(0.6);
    expect((await byteSurprise(seen, ['zyx qwv'])).bits / 7).toBeGreaterThan(4);
  });
});
