import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import { encodedText } from '../../engine/encoded.ts';
import type { Feeds } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { dropTokens, type Fed, feedsFor, filledFeeds, fitted, symbolsIn } from '../../engine/feeds.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { symbol } from '../../graph/dim.ts';
import { value } from '../../graph/graph.ts';
import { type InputRole, type Signature, textPort } from '../../models/signature.ts';

const processor = { tokens: { padding: 2, unknown: 0 } };

const matrix = ['batch', 'sequence'] as const;

const fedWith = (roles: readonly InputRole[], more: Partial<Signature> = {}): Fed => ({
  processor,
  signature: {
    inputs: roles.map((role) => ({ name: value(role), role, axes: role === 'places' ? ['answers'] : matrix })),
    outputs: [textPort(value('logits'))],
    states: [],
    ...more,
  },
});

const texts = [
  encodedText({ ids: Int32Array.of(7, 8, 9), types: Uint8Array.of(0, 1, 1), words: Int32Array.of(0, 2, -1) }),
  encodedText({ ids: Int32Array.of(5), words: Int32Array.of(0) }),
];
const both = { rows: Int32Array.of(1, 0), length: 3 };

const numbersOf = (feeds: Feeds, name: string): number[] => Array.from(feeds[name]?.data ?? [], Number);

describe('a batch', () => {
  it('feeds each input by its role, padded, and no input that the model lacks', () => {
    const roles: readonly InputRole[] = ['tokens', 'mask', 'segments', 'positions', 'places'];
    const feeds = feedsFor(fedWith(roles), texts, both);
    expect(Object.fromEntries(roles.map((role) => [role, numbersOf(feeds, role)]))).toEqual({
      tokens: [5, 2, 2, 7, 8, 9],
      mask: [1, 0, 0, 1, 1, 1],
      segments: [0, 0, 0, 0, 1, 1],
      positions: [0, 0, 0, 0, 1, 2],
      places: [0, 3, 5],
    });
    expect([feeds.tokens?.dims, feeds.places?.dims]).toEqual([[2, 3], [3]]);
    expect(Object.keys(feedsFor(fedWith(['mask', 'tokens']), texts, both))).toEqual(['mask', 'tokens']);
  });

  it('is cut where it is shorter than a text', () => {
    const feeds = feedsFor(fedWith(['tokens', 'mask', 'segments']), texts, { rows: Int32Array.of(0, 0), length: 2 });
    expect(['tokens', 'mask', 'segments'].map((role) => numbersOf(feeds, role))).toEqual([
      [7, 8, 7, 8],
      [1, 1, 1, 1],
      [0, 1, 0, 1],
    ]);
  });

  it('binds the symbols of a graph, whatever they are called and in whatever order', () => {
    const builder = new GraphBuilder('symbols');
    const tokens = builder.input('tokens', 'int64', [symbol('n'), symbol('l')]);
    const places = builder.input('places', 'int64', [symbol('asked')]);
    const graph = builder.freeze([builder.op('Add', [tokens, tokens]), builder.op('Add', [places, places])]);
    const feeds = feedsFor(fedWith(['tokens', 'places']), texts, both);
    expect(symbolsIn(graph, feeds)).toEqual({ n: 2, l: 3, asked: 3 });
  });

  it('is filled up to a length that the model takes', () => {
    const { signature } = fedWith(['tokens']);
    const blocks = { processor, signature: { ...signature, inputs: [{ ...port(signature), multipleOf: 4 }] } };
    const batch = fitted(blocks, both);
    expect(batch.length).toBe(4);
    expect(numbersOf(feedsFor(blocks, texts, batch), 'tokens')).toEqual([5, 2, 2, 2, 7, 8, 9, 2]);
    expect(fitted(blocks, batch)).toBe(batch);
  });

  it('without padding is made of texts laid end to end', () => {
    const feeds = filledFeeds(fedWith(['tokens', 'segments']), texts, { batch: 2, length: 3 });
    expect(numbersOf(feeds, 'tokens')).toEqual([7, 8, 9, 5, 7, 8]);
    expect(numbersOf(feeds, 'segments')).toEqual([0, 1, 1, 0, 0, 1]);
  });

  it('loses the asked share of tokens to the unknown token, and never padding', () => {
    const many = Array.from({ length: 200 }, (_, i) => encodedText({ ids: new Int32Array(10 + (i % 40)).fill(9) }));
    const batch = { rows: Int32Array.from(many, (_, i) => i), length: 50 };
    const fed = fedWith(['tokens', 'mask']);
    const feeds = feedsFor(fed, many, batch);
    dropTokens(fed, { feeds, examples: many, batch }, { rate: 0.2, random: stream(1, 'token-dropout', 0) });
    const [ids, mask] = [numbersOf(feeds, 'tokens'), numbersOf(feeds, 'mask')];
    const kept = ids.filter((_, i) => mask[i] === 1);
    const dropped = kept.filter((id) => id === 0).length / kept.length;
    expect(dropped).toBeGreaterThan(0.17);
    expect(dropped).toBeLessThan(0.23);
    expect(ids.every((id, i) => mask[i] === 1 || id === 2)).toBe(true);
  });
});

const port = ({ inputs: [input] }: Signature) => {
  if (input === undefined) throw new Error('no input');
  return input;
};

/** Running sums of the ids: what a decoder's cache is to its layers. */
const sums = () => {
  const builder = new GraphBuilder('sums');
  const ids = builder.input('ids', 'int64', [symbol('batch'), symbol('sequence')]);
  const past = builder.input('past', 'float32', [symbol('batch'), 1, symbol('past')]);
  const own = builder.op('Unsqueeze', [builder.op('Cast', [ids], { to: 1 }), builder.ints([1])]);
  const present = builder.op('Concat', [past, own], { axis: 2 }, 'present'); // (batch, 1, past + sequence)
  const total = builder.op('ReduceSum', [present, builder.ints([2])], { keepdims: 0 }, 'total'); // (batch, 1)
  const signature: Signature = {
    inputs: [{ name: ids, role: 'tokens', axes: matrix }],
    outputs: [textPort(total)],
    states: [{ past, present, axes: ['batch', 1, 'past'] }],
  };
  return { graph: builder.freeze([total, present]), fed: { processor, signature } };
};

describe('a model with a state', () => {
  it('begins with an empty one, and goes on from what it put out to what it would say of the whole', async () => {
    const { graph, fed } = sums();
    const program = await cpuEngine.compile(graph, { threads: 1 });
    const text = (ids: readonly number[]) => [encodedText({ ids: Int32Array.from(ids) })];
    const feeds = (ids: readonly number[]) => feedsFor(fed, text(ids), { rows: Int32Array.of(0), length: ids.length });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(9), { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat(9), { minLength: 1, maxLength: 5 }),
        async (first, second) => {
          const whole = await program.run(feeds([...first, ...second]));
          const { present } = await program.run(feeds(first));
          if (present === undefined) throw new Error('no state');
          const resumed = await program.run({ ...feeds(second), past: present });
          expect(resumed).toEqual(whole);
        },
      ),
      { numRuns: 20 },
    );
    await program.release();
  });
});
