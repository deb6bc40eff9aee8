import { describe, expect, test } from 'vitest';
import { callsOf } from '../../graph/cut/calls.ts';
import type { Call, Cut, OpDef, Sample, Use } from '../../graph/op.ts';
import { ops } from '../../graph/ops/index.ts';
import { sampleGraph } from '../rig/samples.ts';

const callOf = (record: OpDef, sample: Sample): Call => {
  const graph = sampleGraph(record, sample, { opset: Math.max(20, record.since) });
  const [node] = graph.nodes;
  if (node === undefined) throw new Error('a sample has one node');
  return callsOf(graph)(node);
};

/** The values that a cut of one axis of an input reaches by the operator's own rule; undefined where it refuses. */
const reached = (record: OpDef, call: Call, input: number, axis: number): ReadonlySet<string> | undefined => {
  const value = call.node.inputs[input];
  const length = call.inputs[input]?.shape?.[axis];
  if (value == null || typeof length !== 'number') throw new Error(`input ${input} has no axis ${axis}`);
  const cut: Cut = { value, axis, owner: Int32Array.from({ length }, (_, i) => i) };
  const effect = record.cut(call, cut);
  return 'refused' in effect
    ? undefined
    : new Set(effect.cuts.filter((one) => one.value !== value).map((one) => one.value));
};

const sizeAt = (call: Call, { input }: Use, axis: number): number => Number(call.inputs[input]?.shape?.[axis] ?? 0);

/** What is wrong with a use beside what the operator's cuts say; undefined where they agree. */
const disagreement = (record: OpDef, call: Call, use: Use): string | undefined => {
  if (call.node.inputs[use.input] == null) return undefined;
  const rank = call.inputs[use.input]?.shape?.length ?? 0;
  const output = call.node.outputs[0] ?? '';
  const outside = (axis: number): boolean => rank > 0 && (axis < 0 || axis >= rank);
  if (use.kind === 'linear') {
    if (rank < 2) return undefined;
    if (outside(use.inner) || outside(use.outer)) return 'names an axis that the input has not';
    if (sizeAt(call, use, use.outer) > 1 && reached(record, call, use.input, use.outer)?.has(output) !== true) {
      // Packed projections and groups refuse.
      return reached(record, call, use.input, use.outer) === undefined ? undefined : 'outer does not reach the output';
    }
    const inner = reached(record, call, use.input, use.inner);
    if (inner?.has(output)) return 'inner reaches the output';
    return sizeAt(call, use, use.inner) > 1 && inner !== undefined && inner.size === 0
      ? 'inner meets nothing'
      : undefined;
  }
  if (use.kind === 'fixed' || use.kind === 'passed' || rank === 0) return undefined;
  if (outside(use.axis)) return 'names an axis that the input has not';
  const axis = reached(record, call, use.input, use.axis);
  if (use.kind === 'lookup')
    return axis?.has(output) && call.constant(1) === undefined ? 'its rows reach the output' : undefined;
  return sizeAt(call, use, use.axis) > 1 && axis !== undefined && !axis.has(output)
    ? 'its axis does not reach the output'
    : undefined;
};

const samples = ops.flatMap((record) => record.samples.map((sample) => ({ record, sample })));
const used = samples.filter(({ record }) => record.uses !== undefined);

describe('what operators use weights for', () => {
  test.each(
    used.map((one) => [`${one.record.domain}:${one.record.op} ${one.record.since}: ${one.sample.name}`, one] as const),
  )('agrees with what can be cut: %s', (_, { record, sample }) => {
    const call = callOf(record, sample);
    const uses = record.uses?.(call) ?? [];
    expect(uses.flatMap((use) => disagreement(record, call, use) ?? [])).toEqual([]);
    expect(new Set(uses.map(({ input }) => input)).size).toBe(uses.length);
  });

  test('is told even where nothing is typed', () => {
    for (const { record, sample } of used) {
      const call = { ...callOf(record, sample), constant: () => undefined, ints: () => undefined };
      const untyped: Call = { ...call, inputs: call.inputs.map(() => undefined) };
      expect(() => record.uses?.(untyped)).not.toThrow();
    }
  });

  test('and the comparison notices a matrix read the wrong way round', () => {
    const gemm = ops.find(({ op }) => op === 'Gemm');
    const sample = gemm?.samples.find(({ name }) => name === 'weights as (out, in)');
    if (gemm === undefined || sample === undefined) throw new Error('no such sample');
    const call = callOf(gemm, sample);
    const wrong: Use = { input: 1, kind: 'linear', inner: 0, outer: 1 };
    expect(disagreement(gemm, call, wrong)).toBe('outer does not reach the output');
    expect(gemm.uses?.(call)).toContainEqual({ input: 1, kind: 'linear', inner: 1, outer: 0 });
  });
});
