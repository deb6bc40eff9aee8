import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { largestOf } from '../../data/rows.ts';
import { allKept, readOn } from '../../engine/decoding.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { nothingRead } from '../../engine/feeds.ts';
import { chooser } from '../../engine/generation/choose.ts';
import { openWriter, type Writer, written } from '../../engine/generation/generate.ts';
import { type StrategyName, strategies } from '../../engine/generation/strategies/index.ts';
import { withCache } from '../../models/cache.ts';
import { writeModel } from '../../models/files.ts';
import { importFolder } from '../../models/importers/folder/index.ts';
import type { Model } from '../../models/model.ts';
import { generateText } from '../../pipeline/api/generate.ts';
import type { GenerateOptions } from '../../pipeline/api/types/models.ts';
import { clientModel } from '../clients/rig.ts';
import { workspace } from '../rig/workspace.ts';
import { goldenFolder } from './golden.ts';
import { MAX_LENGTH, tinyDecoder } from './tiny.ts';

const space = workspace();
const model = tinyDecoder();
beforeAll(async () => {
  space.write('decoder/x', '');
  space.write('encoder/x', '');
  await writeModel(space.path('decoder'), model);
  await writeModel(space.path('encoder'), clientModel('features'));
});
afterAll(() => space[Symbol.dispose]());

/** More than a memory has room for at first. */
const TOKENS = 70;

const scores = Float32Array.of(1, 3, 2, 0, -1);

/** Tokens that a thousand choices take. */
const taken = (name: StrategyName, given: number): ReadonlySet<number> => {
  const choose = chooser({ temperature: 3, [name]: given }, 5);
  return new Set(Array.from({ length: 1000 }, () => choose(scores, [])));
};

describe('the next token', () => {
  it('is the most probable one where nothing is asked for', () => {
    expect(chooser({}, 0)(scores, [])).toBe(1);
  });

  it('is drawn by temperature, among the first k, or among those that come to a probability', () => {
    expect(taken('temperature', 3)).toEqual(new Set([0, 1, 2, 3, 4]));
    expect(taken('temperature', 0.05)).toEqual(new Set([1]));
    expect(taken('topK', 2)).toEqual(new Set([1, 2]));
    // Of softmax(scores / 3) the first has 0.35, the second 0.25.
    expect(taken('topP', 0.3)).toEqual(new Set([1]));
    expect(taken('topP', 0.5)).toEqual(new Set([1, 2]));
  });

  it('is another one where what was written is held against it', () => {
    expect(chooser({ repetition: 2 }, 0)(scores, [1])).toBe(2);
    expect(chooser({ repetition: 2 }, 0)(Float32Array.of(-1, -1.5), [0])).toBe(1);
  });

  it('is the same again with the same seed alone', () => {
    const draws = (seed: number) => {
      const choose = chooser({ temperature: 3 }, seed);
      return Array.from({ length: 40 }, () => choose(scores, []));
    };
    expect(draws(1)).toEqual(draws(1));
    expect(draws(1)).not.toEqual(draws(2));
  });

  it.each(strategies)('takes numbers within bounds for $option, and leaves the scores that it is given', (strategy) => {
    const { least, most } = strategy.takes;
    expect(least).toBeLessThan(most);
    const before = scores.slice();
    const choose = chooser({ [strategy.option]: Math.min(1, most) }, 0);
    expect([choose(scores, [0]), scores]).toEqual([expect.any(Number), before]);
  });
});

const generated = async (prompt: string, options: GenerateOptions = {}, folder = 'decoder') => {
  const pieces: string[] = [];
  const made = await generateText(space.path(folder), prompt, { threads: 1, ...options }, ({ text }) =>
    pieces.push(text),
  );
  return { ...made, pieces };
};

const tokensOf = async (writer: Writer, prompt: readonly number[]): Promise<readonly number[]> => {
  const made: number[] = [];
  const writing = { prompt, most: TOKENS, choose: chooser({}, 0), end: undefined };
  for await (const id of written(writer, writing)) made.push(id);
  return made;
};

describe('a text that is written on', () => {
  it.each<readonly [string, () => Model | Promise<Model>, boolean]>([
    ['keys that stay where they lie', () => model, true],
    ['keys that go round', () => importFolder(join(goldenFolder, 'llama'), { head: 'keep' }), false],
  ])('goes on as if all of it was read anew for each token: %s', async (_, made, stay) => {
    const given = await made();
    const writer = await openWriter(given, cpuEngine, 1);
    expect(writer.fresh !== undefined).toBe(stay);
    const plain = withCache(given);
    const program = await cpuEngine.compile(plain.graph, { threads: 1 });
    const prompt = [3, 7, 11];
    const written = await tokensOf(writer, prompt);
    const all = [...prompt];
    while (all.length < prompt.length + TOKENS) {
      const past = nothingRead(plain.info.signature, 1);
      all.push(
        largestOf(
          (await readOn(program, plain, { tokens: [all], masks: [allKept(all.length)], past, last: 1 })).scores,
        ),
      );
    }
    await Promise.all([writer.program.release(), program.release()]);
    expect(written).toEqual(all.slice(prompt.length));
  });

  it('comes in pieces, ends at a stop, and says how much was read and written', async () => {
    const whole = await generated('the old dog', { tokens: 10 });
    expect(whole).toMatchObject({ reason: 'tokens', prompt: 'the old dog', written: { tokens: 9 } });
    expect(whole.pieces.join('')).toBe(whole.text);
    expect(whole.pieces.length).toBeGreaterThan(1);
    const stop = whole.text.slice(3, 6);
    const ended = await generated('the old dog', { tokens: 10, stop: [stop] });
    expect(ended).toMatchObject({ reason: 'stop', text: whole.text.slice(0, whole.text.indexOf(stop)) });
    expect(ended.pieces.join('')).toBe(ended.text);
  });

  it.each<readonly [string, string, GenerateOptions, string, RegExp]>([
    [
      'a prompt beyond the positions',
      'dog '.repeat(MAX_LENGTH),
      {},
      'decoder',
      /tokens, and the model has 32 positions/,
    ],
    ['a model that writes nothing', 'dog', {}, 'encoder', /is made for features and writes no texts/],
    ['a number out of bounds', 'dog', { topP: 2 }, 'decoder', /^topP: expected a number from 0\.000001 to 1; found 2/],
  ])('is refused for %s', async (_, prompt, options, folder, message) => {
    await expect(generated(prompt, options, folder)).rejects.toThrow(message);
  });
});
