import { describe, expect, it } from 'vitest';
import { trainingNeed } from '../../engine/memory/training.ts';
import { quantizeWeights } from '../../graph/quantize/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { inFloats } from '../../models/anatomy/in-floats.ts';
import { lookedAt } from '../../models/foreign.ts';
import { bindingsOf, macsIn } from '../../models/inspect.ts';
import type { PassSize } from '../../models/inspection.ts';
import type { Model } from '../../models/model.ts';
import { buildVit } from '../../models/vit.ts';
import { elementsIn, hiddenScores, matrixBytes, secondsOf, workByFormula } from '../../models/work.ts';
import { tinyDecoder } from '../decoders/tiny.ts';
import { smallEncoder } from './support.ts';

/** The bar of estimates: operations by formula are those of the operators within so much. */
const TOLERANCE = 0.02;

const half = { mean: [0.5], deviation: [0.5] };

const images = (): Model =>
  buildVit(
    {
      ...{ hidden: 32, layers: 2, heads: 4, ffn: 64, patch: 7, activation: 'gelu', pooling: 'first', dropout: 0 },
      ...{ labels: ['no', 'yes'], pixels: { channels: 1, height: 28, width: 28, scale: 1 / 255, ...half } },
    },
    1,
  );

const encoder = (): Model => smallEncoder({ hidden: 64, ffn: 256 });

const models: readonly (readonly [string, () => Model, PassSize])[] = [
  ['an encoder', encoder, { batch: 3, length: 24 }],
  ['a decoder with grouped heads', tinyDecoder, { batch: 2, length: 16 }],
  ['a decoder with a head of its own', () => tinyDecoder({ tied: false }), { batch: 1, length: 32 }],
  ['a model of images', images, { batch: 5, length: 1 }],
];

const formulaOf = ({ graph }: Model, size: PassSize) => workByFormula(graph, size.batch, bindingsOf(graph, size));

describe('operations by formula', () => {
  it.each(models)('are those of the operators of %s', (_, build, size) => {
    const model = build();
    const { forward } = formulaOf(model, size);
    const counted = 2 * macsIn(model.graph, bindingsOf(model.graph, size));
    expect(Math.abs(forward / counted - 1)).toBeLessThan(TOLERANCE);
  });

  it.each(models)('of an update are those of the step of %s', (_, build, size) => {
    const model = build();
    const { training } = formulaOf(model, size);
    const { macs } = trainingNeed(model, { texts: size.batch, length: size.length }, true);
    // The first layer of a tiny model, which passes no gradient on, is a larger part of it.
    expect(training / (2 * macs)).toBeGreaterThan(1 - TOLERANCE);
    expect(training / (2 * macs)).toBeLessThan(1.1);
  });

  it('are 2 P D + 4 D n A, which a longer text shows', () => {
    const [short, long] = [16, 64].map((length) => formulaOf(encoder(), { batch: 1, length }));
    if (short === undefined || long === undefined) throw new Error('there are two');
    expect(long.attention).toBe(16 * short.attention);
    expect(short.attention).toBe(4 * 16 * 16 * 2 * 64);
    expect(short.body).toBe(2 * (4 * 64 * 64 + 2 * 64 * 256));
  });

  it('are the same where matrices are stored in 8 bits, which take a quarter of the bytes', () => {
    const { graph } = encoder();
    const options = { embeddings: true, reduceRange: false, exclude: [], minimumTable: 1 };
    const small = quantizeWeights(fuseForInference(graph), options).graph;
    const size = { batch: 2, length: 8 };
    const normal = inFloats(lookedAt(small));
    expect(workByFormula(normal, 2, bindingsOf(normal, size)).body).toBe(formulaOf(encoder(), size).body);
    expect(matrixBytes(graph) / matrixBytes(small)).toBeGreaterThan(3);
  });
});

describe('time by formula', () => {
  const rates = { flops: 100, bytes: 10, elements: 5 };

  it('is that of computing or of reading matrices, whichever is longer, and of what is computed beside', () => {
    expect(secondsOf({ flops: 300, bytes: 10, elements: 5 }, rates)).toBe(3 + 1);
    expect(secondsOf({ flops: 100, bytes: 40, elements: 0 }, rates)).toBe(4);
  });

  it('knows the scores of an attention that is one node', () => {
    const fused = fuseForInference(encoder().graph);
    const sizes = bindingsOf(fused, { batch: 2, length: 10 });
    const scores = fused.nodes.map(hiddenScores(fused, sizes)).filter((count) => count > 0);
    expect(scores).toEqual([2 * 4 * 100, 2 * 4 * 100]);
    expect(elementsIn(fused, sizes)).toBeGreaterThan(2 * 2 * 4 * 100);
  });
});
