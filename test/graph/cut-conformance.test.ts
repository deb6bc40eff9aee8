import { describe, expect, test } from 'vitest';
import type { HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { applyCuts, type CutGroup, followCut, isRefusal } from '../../graph/cut/index.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import type { OpDef, Sample } from '../../graph/op.ts';
import { findOp, ops } from '../../graph/ops/index.ts';
import { tensorOf } from '../../graph/tensor.ts';
import { isUserError } from '../../ground/errors.ts';
import { sampleFeeds, sampleGraph } from '../rig/samples.ts';
import { maskOf, maskWeights, someOf } from './cut-rig.ts';

/** Float32 sums in another order over a few terms of size one. */
const TOLERANCE = 1e-5;

type Feeds = Readonly<Record<string, HostTensor>>;

/** The sample's graph with its float inputs as weights: only weights can be cut, inputs belong to the caller. */
const ownGraph = (record: OpDef, sample: Sample): { graph: Graph; feeds: Feeds } => {
  const graph = sampleGraph(record, sample);
  const feeds = { ...sampleFeeds(sample, 1) };
  const builder = new GraphBuilder(graph.name, graph.opsets);
  for (const input of graph.inputs) {
    const { [input]: feed } = feeds;
    if (feed === undefined) throw new Error(`no elements for ${input}`);
    if (feed.dtype === 'float32') {
      builder.weight(input, tensorOf('float32', feed.dims, Float32Array.from(feed.data as Float32Array)));
      delete feeds[input];
    } else builder.input(input, feed.dtype, feed.dims);
  }
  for (const [name, tensor] of graph.weights) builder.weight(name, tensor);
  for (const node of graph.nodes) builder.add(node, (v) => graph.types.get(v));
  return { graph: builder.freeze(graph.outputs), feeds };
};

const run = async (graph: Graph, feeds: Feeds) => {
  const program = await cpuEngine.compile(graph, { threads: 1, optimization: 'basic' });
  try {
    return await program.run(feeds);
  } finally {
    await program.release();
  }
};

/** The elements whose indices all stay, in row-major order. */
const sliceReference = (tensor: HostTensor, masks: readonly (Float32Array | undefined)[]): number[] => {
  const kept: number[] = [];
  Array.from(tensor.data as ArrayLike<number | bigint>, Number).forEach((element, i) => {
    let stride = 1;
    let stays = true;
    for (let axis = tensor.dims.length - 1; axis >= 0; axis--) {
      const size = tensor.dims[axis] ?? 1;
      if (masks[axis]?.[Math.floor(i / stride) % size] === 0) stays = false;
      stride *= size;
    }
    if (stays) kept.push(element);
  });
  return kept;
};

const outputMasks = (graph: Graph, group: CutGroup, kept: readonly number[], output: Value) => {
  const rank = graph.types.get(output)?.shape?.length ?? 0;
  return Array.from({ length: rank }, (_, axis) => {
    const cut = group.axes.find((one) => one.value === output && one.axis === axis);
    return cut === undefined ? undefined : maskOf(cut.owner, kept);
  });
};

interface Trial {
  readonly graph: Graph;
  readonly group: CutGroup;
  readonly kept: readonly number[];
}

/** The cut graph; undefined where these very units cannot go: a part of a Split or the steps of a Slice would be left without any. */
const cutGraph = ({ graph, group, kept }: Trial): Graph | undefined => {
  try {
    return applyCuts(graph, [group], [kept]);
  } catch (error) {
    if (isUserError(error, 'model') && /nothing would be left|no constant step/.test(error.message)) return undefined;
    throw error;
  }
};

/** Every accepted cut of a graph that starts at a float weight or an output and leaves something to remove. */
const trialsOf = (graph: Graph): readonly Trial[] => {
  const starts = [...graph.weights.keys(), ...graph.outputs].flatMap((start) =>
    (graph.types.get(start)?.shape ?? []).map((_, axis) => ({ value: start, axis })),
  );
  return starts.flatMap((start) => {
    const group = followCut(graph, start);
    if (isRefusal(group) || group.units < 2) return [];
    const allBut = (gone: number): readonly number[] =>
      Array.from({ length: group.units }, (_, unit) => unit).filter((unit) => unit !== gone);
    const several = someOf(group.units - 1, 5, `${start.axis}:${start.value}`);
    return [several, allBut(0), allBut(group.units - 1)].map((kept) => ({ graph, group, kept }));
  });
};

const largest = (a: readonly number[], b: readonly number[]): number =>
  a.length === b.length
    ? Math.max(0, ...a.map((x, i) => (Object.is(x, b[i]) ? 0 : Math.abs(x - (b[i] ?? Number.NaN)))))
    : Number.POSITIVE_INFINITY;

/** All outputs of a graph, without what a trial removes. */
const keptOutputs = async ({ graph, group, kept }: Trial, of: Graph, feeds: Feeds): Promise<readonly number[]> => {
  const outputs = await run(of, feeds);
  return graph.outputs.flatMap((name) => {
    const { [name]: tensor } = outputs;
    return tensor === undefined ? [] : sliceReference(tensor, outputMasks(graph, group, kept, name));
  });
};

const wholeOutputs = async (graph: Graph, feeds: Feeds): Promise<readonly number[]> => {
  const outputs = await run(graph, feeds);
  return graph.outputs.flatMap((name) => Array.from(outputs[name]?.data ?? [], Number));
};

/**
 * Operators to which zeros are no stand-in for what is gone, where they reduce the cut axis: means, norms, extremes.
 * There only whole models can tell, with a reference that counts the kept positions (cut.test.ts).
 */
const reducesOtherwise = /Normalization|Mean|Softmax|Max|Min|Prod|Log|L1|L2|Hardmax/;

/** What these put out is the very sizes that a cut changes. */
const tellsSizes = new Set(['Shape', 'Size']);

const cases = ops
  .filter((record) => findOp(record.domain, record.op, 20) === record && !tellsSizes.has(record.op))
  .flatMap((record) => record.samples.map((sample) => [`${record.op}: ${sample.name}`, record, sample] as const));

let tested = 0;

/** Whether a trial cuts an axis over which a call takes statistics. */
const counts = ({ masked }: OpDef, { graph, group }: Trial): boolean => {
  const [node] = graph.nodes;
  if (node === undefined || typeof masked !== 'object') return false;
  const axes = masked.axes(GraphBuilder.from(graph).call(node));
  return group.axes.some(({ value, axis }) => value === node.inputs[0] && axes.includes(axis));
};

/** Cuts of such. */
const counted: Trial[] = [];

/** What stays of the first output where a mask stands in for the cut. */
const maskedOutput = async ({ graph, group, kept }: Trial, feeds: Feeds): Promise<readonly number[] | undefined> => {
  const [node] = graph.nodes;
  const [output] = graph.outputs;
  if (node === undefined || output === undefined) throw new Error('a sample is a node');
  const builder = GraphBuilder.from(graph);
  const { masked } = findOp(node.domain, node.op, 23) ?? {};
  const over = group.axes.find(({ value }) => value === node.inputs[0]);
  const call = builder.call(node);
  if (typeof masked !== 'object' || over === undefined || masked.axes(call).length > 1) return undefined;
  const mask = builder.constant(tensorOf('float32', [over.owner.length], maskOf(over.owner, kept)));
  const found = masked.emit(builder, call, mask);
  const { [found]: tensor } = await run(builder.freeze([found]), feeds);
  return tensor === undefined ? undefined : sliceReference(tensor, outputMasks(graph, group, kept, output));
};

describe('cut, then run, equals run, then slice', () => {
  test.each(cases)('%s', async (_, record, sample) => {
    const { graph, feeds } = ownGraph(record, sample);
    for (const trial of trialsOf(graph)) {
      const masked = await keptOutputs(trial, maskWeights(graph, [trial.group], [trial.kept]), feeds);
      const whole = await keptOutputs(trial, graph, feeds);
      const cut = cutGraph(trial);
      if (cut === undefined) continue;
      if (reducesOtherwise.test(record.op) && largest(masked, whole) > TOLERANCE) {
        // Where zeros are no stand-in for what goes, a mask has to be told how it is one, or that it is not.
        if (largest(await wholeOutputs(cut, feeds), masked) < TOLERANCE) continue;
        expect(record.masked, record.op).toBeDefined();
        if (counts(record, trial)) counted.push(trial);
        continue;
      }
      const where = `${trial.group.start.value}, axis ${trial.group.start.axis}`;
      expect(largest(await wholeOutputs(cut, feeds), masked), where).toBeLessThan(TOLERANCE);
      tested++;
    }
  });

  test('statistics over the axis are those of a mask that leaves as much', async () => {
    let masked = 0;
    for (const trial of counted) {
      const [found, cut] = [await maskedOutput(trial, {}), cutGraph(trial)];
      if (found === undefined || cut === undefined) continue;
      const outputs = await run(cut, {});
      expect(largest(Array.from(outputs[cut.outputs[0] ?? '']?.data ?? [], Number), found)).toBeLessThan(TOLERANCE);
      masked++;
    }
    expect(masked).toBeGreaterThan(10);
  });

  test('enough cuts are accepted for this to mean something', () => {
    expect(tested).toBeGreaterThan(cases.length);
  });
});
