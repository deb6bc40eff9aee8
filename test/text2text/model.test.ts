import { describe, expect, it } from 'vitest';
import { tokenizerOf } from '../../data/tokenize.ts';
import { endOfTextId } from '../../data/tokenizers/bpe.ts';
import { tokensOf } from '../../engine/encoded.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import {
  answered,
  mostProbable,
  openAnswerWriter,
  releaseAnswerWriter,
  scoresAlong,
} from '../../engine/generation/answer.ts';
import { chooser } from '../../engine/generation/choose.ts';
import { predict } from '../../engine/predict.ts';
import { text2text } from '../../engine/tasks/text2text.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { withAnswerCache } from '../../models/answer-cache.ts';
import { type Model, tokenizerIn } from '../../models/model.ts';
import { joinedSides, sidesOf } from '../../models/sides.ts';
import { dataset, differenceOf, MAX_LENGTH, tinyT5 } from './tiny.ts';

const model = tinyT5();
/** Sums in another order, of scores around ten. */
const ROUNDING = 1e-5;

const examples = await text2text.encode(model, dataset.test, MAX_LENGTH);

const scoresOf = async (of: Model, batching: 'length' | 'single' = 'length') =>
  (await predict({ model: of, examples, threads: 1, batching })).rows.data;

const fused = { ...model, graph: fuseForInference(model.graph) };

describe('a source and its answer', () => {
  it('ask for every token of the answer and its end, each behind those before it', async () => {
    const [{ text, pair = '' } = { text: '' }] = dataset.test;
    const encoder = tokenizerOf(tokenizerIn(model));
    const [source, answer] = [await encoder.encode(text, 100), await encoder.encode(pair, 100)];
    const [{ byRole, places, length } = { byRole: {}, length: 0 }] = examples;
    expect([...(byRole.tokens ?? [])]).toEqual([...source.ids]);
    expect(length).toBe(source.ids.length);
    expect([...(byRole.written ?? [])]).toEqual([...answer.ids]);
    expect([...(byRole.next ?? [])]).toEqual([...answer.ids.slice(1), endOfTextId]);
    expect([...(places ?? [])]).toEqual([...answer.ids.keys()]);
  });

  it('are refused where a text has no answer', async () => {
    await expect(text2text.encode(model, [{ text: 'a b c' }], MAX_LENGTH)).rejects.toThrow(
      'text 1 ("a b c") has no answer: data for text2text are pairs of texts',
    );
  });
});

describe('an encoder-decoder', () => {
  it('scores an answer beside others as alone, and fused as in pieces', async () => {
    const alone = await scoresOf(model, 'single');
    expect(alone.reduce((most, x) => Math.max(most, x))).toBeGreaterThan(1);
    expect(differenceOf(await scoresOf(model), alone)).toBeLessThan(ROUNDING);
    expect(differenceOf(await scoresOf(fused), alone)).toBeLessThan(ROUNDING);
  });

  it('hangs on the source, and on nothing that stands behind a token', async () => {
    const [first] = examples.filter(({ length }) => length > 4);
    if (first === undefined) throw new Error('a longer source');
    const written = Int32Array.from(first.byRole.written ?? []);
    const changed = { ...first, byRole: { ...first.byRole, written: written.with(written.length - 1, 20) } };
    const tokens = Int32Array.from(tokensOf(first));
    const other = { ...first, byRole: { ...first.byRole, tokens: tokens.with(1, 20) } };
    const all = [first, changed, other];
    const { rows } = await predict({ model, examples: all, threads: 1, batching: 'single' });
    const [own, later, elsewhere] = all.map((_, i) => {
      const size = written.length * rows.width;
      return rows.data.subarray(i * size, (i + 1) * size - rows.width);
    });
    if (own === undefined || later === undefined || elsewhere === undefined) throw new Error('three rows');
    expect(differenceOf(own, later)).toBe(0);
    expect(differenceOf(own, elsewhere)).toBeGreaterThan(1e-2);
  });

  it.each([
    ['in pieces', model],
    ['fused', fused],
    ['with a head of its own and fewer layers that write', tinyT5({ tied: false, decoderLayers: 1 })],
  ] as const)('writes token by token what it says at once, several sources as each alone: %s', async (_, of) => {
    const writer = await openAnswerWriter(of, cpuEngine, 1);
    const sources = examples.slice(0, 6).map(tokensOf);
    const answers = sources.map(() => Int32Array.of(0, 20, 30, 40, 50, 60));
    const along = (pieces: number) => scoresAlong(writer, sources, answers, pieces);
    const [once, each] = [await along(1), await along(6)];
    const width = once.length / (6 * 6);
    // Of pieces come scores of all sources at one token, one after the other.
    const turned = Float32Array.from(once, (_x, i) => {
      const [row, token, column] = [Math.floor(i / (6 * width)), Math.floor(i / width) % 6, i % width];
      return each[(token * 6 + row) * width + column] ?? Number.NaN;
    });
    expect(differenceOf(turned, once)).toBeLessThan(ROUNDING);
    // The token that begins an answer ends it, too, and a tied model likes to say again what it just said.
    const how = { most: 12, choose: chooser({ repetition: 5 }, 0), end: undefined };
    const together = await mostProbable(writer, { sources, ...how });
    for (const [i, source] of sources.entries()) {
      const own: number[] = [];
      for await (const id of answered(writer, { source, ...how })) own.push(id);
      expect(together[i]).toEqual(own);
    }
    expect(new Set(together.flat()).size).toBeGreaterThan(2);
    await releaseAnswerWriter(writer);
  });

  it('is the same again when both of its graphs are joined', async () => {
    const cached = withAnswerCache(fused);
    const graph = joinedSides(sidesOf(cached), cached.info.signature);
    expect(graph.inputs).toEqual(expect.arrayContaining([...cached.graph.inputs]));
    expect(differenceOf(await scoresOf({ ...cached, graph }), await scoresOf(model))).toBeLessThan(ROUNDING);
  });

  it('keeps what it made of the source, and makes nothing of it again', async () => {
    const cached = withAnswerCache(model);
    const { encoder, decoder } = sidesOf(cached);
    expect([...encoder.inputs]).toEqual(['input_ids', 'attention_mask']);
    expect([...encoder.outputs]).toEqual(['last_hidden_state']);
    const past = cached.info.signature.states.map((state) => state.past);
    expect([...decoder.inputs]).toEqual(['encoder_attention_mask', 'input_ids', 'encoder_hidden_states', ...past]);
    expect(past).toContain('past_key_values.1.encoder.value');
    const shapes = decoder.inputs.slice(3).map((input) => decoder.types.get(input)?.shape);
    for (const shape of shapes) expect(shape).toEqual(['batch_size', 4, expect.stringMatching(/^past_/), 8]);
  });
});
