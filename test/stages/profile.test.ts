import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { type Graph, type Node, type Value, value } from '../../graph/graph.ts';
import { quantizeWeights } from '../../graph/quantize/index.ts';
import { foldConstants, fuseForInference } from '../../graph/rewrite/index.ts';
import { brokenAttention } from '../../stages/profile/attention.ts';
import { kernelTimes } from '../../stages/profile/kernels.ts';
import { layersOf } from '../../stages/profile/layers.ts';
import { subjectOf } from '../../stages/profile/subject.ts';
import { variants } from '../../stages/profile/variants/index.ts';
import type { Subject } from '../../stages/profile/variants/variant.ts';
import { batchOf, largestDifference, smallEncoder } from '../models/support.ts';
import { renamed } from '../rig/renamed.ts';
import { profiledModels } from './profile-rig.ts';

const feeds = batchOf([[7, 8, 3, 6, 2, 9, 4, 5, 3, 3, 2]]);

/** Changes that leave every result as it is: consumers get what was recorded. */
const sameResult = new Set([
  ...['empty', 'chain', 'without-quantize', 'without-product', 'without-attention', 'without-other'],
  ...['fused-attention', 'cut', 'narrow-heads', 'wide-heads'],
]);
/** Equal integers around another zero point: floats are summed in another order. */
const SIGNED_TOLERANCE = 1e-4;
/** Logits of these models are about 1; 8-bit products move them by less than this. */
const EIGHT_BITS_TOLERANCE = 0.2;

const run = async (graph: Graph): Promise<readonly number[]> => {
  const program = await cpuEngine.compile(graph, { threads: 1, optimization: 'none' });
  try {
    const outputs = await program.run(feeds);
    return graph.outputs.flatMap((name) => Array.from(outputs[name]?.data ?? [], Number));
  } finally {
    await program.release();
  }
};

const subjects = new Map<string, Subject>();
beforeAll(async () => {
  for (const [id, make] of Object.entries(profiledModels)) {
    if (id !== 'table') subjects.set(id, await subjectOf(fuseForInference(make().graph), feeds));
  }
});
afterAll(() => subjects.clear());

/** Every change of every model that has something to change. */
const changed = (): readonly {
  readonly id: string;
  readonly name: string;
  readonly before: Graph;
  readonly graph: Graph;
}[] =>
  [...subjects].flatMap(([id, subject]) =>
    variants.flatMap(({ name, make }) => {
      const graph = make(subject);
      return graph === undefined ? [] : [{ id, name, before: subject.graph, graph }];
    }),
  );

describe('the changed graphs of a profile', () => {
  it('are all made of at least one model here', () => {
    expect(new Set(changed().map(({ name }) => name))).toEqual(new Set(variants.map(({ name }) => name)));
  });

  it('run every one of their nodes, also those whose results nobody reads', async () => {
    for (const { id, name, graph } of changed().filter((_, i) => i % 3 === 0)) {
      const traced = await kernelTimes(graph, feeds);
      expect([id, name, traced.size]).toEqual([id, name, graph.nodes.length]);
    }
  });

  it('put out what the model does', async () => {
    for (const { id, name, before, graph } of changed()) {
      const difference = largestDifference(await run(before), await run(graph));
      const most = sameResult.has(name) ? 0 : name === 'signed' ? SIGNED_TOLERANCE : EIGHT_BITS_TOLERANCE;
      if (name !== 'dense') expect([id, name, difference <= most]).toEqual([id, name, true]);
    }
  });
});

/** The graph with a node that changes nothing behind the first node that fits. */
const withAbs = (graph: Graph, fits: (node: Node) => boolean): Graph => {
  const [output] = graph.nodes.find(fits)?.outputs ?? [];
  if (output === undefined) throw new Error('no node fits');
  const behind = value('inserted');
  const other = (input: Value | null): Value | null => (input === output ? behind : input);
  const nodes = graph.nodes.flatMap((node) => {
    const same = { ...node, inputs: node.inputs.map(other) };
    const abs = { op: 'Abs', domain: '', name: 'inserted', inputs: [output], outputs: [behind], attrs: {} };
    return node.outputs[0] === output ? [same, abs] : [same];
  });
  return { ...graph, nodes };
};

const producesScores =
  (graph: Graph, role: 0 | 1) =>
  ({ op, outputs: [output] }: Node): boolean =>
    op === 'Transpose' &&
    graph.nodes.some((user) => user.op === 'MatMul' && output !== undefined && user.inputs[role] === output);

describe('the reason why attention is not one node', () => {
  const { graph } = smallEncoder({ layers: 1 });
  const softmax = graph.nodes.find(({ op }) => op === 'Softmax');
  it.each<[string, Graph, RegExp]>([
    [
      'a node behind the softmax',
      withAbs(graph, ({ op }) => op === 'Softmax'),
      /^Abs 'inserted' follows Softmax '.*', not MatMul$/,
    ],
    [
      'a node on the side of the keys',
      withAbs(graph, ({ op, attrs: { perm } }) => op === 'Transpose' && String(perm?.value) === '0,2,3,1'),
      /^Abs 'inserted' stands between the split into heads and MatMul '.*' on the side of the keys$/,
    ],
    [
      'a node on the side of the queries',
      withAbs(graph, producesScores(graph, 0)),
      /^Abs 'inserted' stands between the split into heads and MatMul '.*' on the side of the queries$/,
    ],
    [
      'weights that leave the graph',
      { ...graph, outputs: [...graph.outputs, ...(softmax?.outputs ?? [])] },
      /^Softmax '.*' is an output of the graph$/,
    ],
  ])('is %s', async (_, changed, reason) => {
    const subject = await subjectOf(fuseForInference(changed), feeds);
    const [broken] = brokenAttention(subject.graph, foldConstants(changed));
    expect(broken?.reason).toMatch(reason);
  });

  it('is none where it is one', async () => {
    expect(brokenAttention((await subjectOf(fuseForInference(graph), feeds)).graph, foldConstants(graph))).toEqual([]);
  });
});

describe('the part of the model that a node belongs to', () => {
  it.each([
    ['float', (graph: Graph) => graph],
    ['8 bits', (graph: Graph) => quantizeWeights(graph, { minimumElements: 1 }).graph],
  ])('is found in the graph as it runs, whatever its values are called: %s', async (_, change) => {
    const { graph } = smallEncoder({ layers: 2, norm: 'post' });
    const fused = change(fuseForInference(renamed(graph)));
    const parts = layersOf((await subjectOf(fused, feeds)).graph, fused);
    expect(new Set(parts.values())).toEqual(new Set(['embeddings', 'layers.0', 'layers.1', 'head']));
    const attending = [...parts].filter(([{ op }]) => /Attention$/.test(op)).map(([, part]) => part);
    expect(attending).toEqual(['layers.0', 'layers.1']);
    expect([...parts.values()].at(-1)).toBe('head');
  });
});
