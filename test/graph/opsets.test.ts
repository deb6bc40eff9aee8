import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { differentiate } from '../../graph/differentiate.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import type { OpDef, Sample } from '../../graph/op.ts';
import { findOp, ops } from '../../graph/ops/index.ts';
import { isUserError } from '../../ground/errors.ts';
import { sampleBuilder, sampleInput, symbolicSizes } from '../rig/samples.ts';

/** Each brought something: expanding, comparisons, axes and sizes as inputs, reductions of writes. */
const OPSETS = [8, 9, 10, 11, 12, 13, 15, 16, 18];
/** From here on every gradient can be written, but for what is named below. */
const OLDEST = 11;

/** Gradients that need a later operator set than the operator itself. */
const later: Readonly<Record<string, number>> = { GatherElements: 16 };

const holds = (record: OpDef, opset: number): boolean =>
  findOp(record.domain, record.op, record.domain === '' ? opset : 1) === record;

const isLoaded = async (graph: Graph): Promise<boolean> => {
  try {
    await (await cpuEngine.compile(graph, { threads: 1, optimization: 'none' })).release();
    return true;
  } catch {
    return false;
  }
};

const expectLoaded = async (graph: Graph, label: string): Promise<void> => {
  const program = await cpuEngine.compile(graph, { threads: 1, optimization: 'none' }).catch((error: unknown) => {
    throw new Error(`${label}: ${error instanceof Error ? error.message : error}`);
  });
  await program.release();
};

const positionsOf = (sample: Sample): readonly number[] =>
  sample.differentiable ??
  sample.inputs.flatMap((input, i) => (input?.dtype === 'float32' && input.constant !== true ? [i] : []));

/** The gradients of one use as a graph, or why the operator set cannot say them. */
const gradientGraph = (record: OpDef, sample: Sample, opset: number, symbolic?: number): Graph | string => {
  const { builder, outputs } = sampleBuilder(record, sample, {
    opset,
    ...(symbolic === undefined ? {} : { symbolic }),
  });
  const floats = outputs.filter((output) => /^float/.test(builder.type(output).dtype));
  const sums = floats.map((output) => builder.op('ReduceSum', [output], { keepdims: 0 }));
  const [loss, ...rest] = sums;
  if (loss === undefined) return 'nothing to differentiate';
  try {
    const total = rest.length === 0 ? loss : builder.op('Sum', sums);
    const gradients = differentiate(builder, total, positionsOf(sample).map(sampleInput));
    return builder.freeze([...gradients.values()].map((gradient) => builder.op('Identity', [gradient])));
  } catch (error) {
    if (isUserError(error)) return error.message;
    throw error;
  }
};

const records = ops.filter((record) => typeof record.gradient === 'function');
const uses = records.flatMap((record) =>
  OPSETS.filter((opset) => holds(record, opset)).map((opset) => [record.op, opset, record] as const),
);

describe('the gradient of every operator is legal in the graph it is written into', () => {
  it.each(uses)('%s at operator set %i', async (op, opset, record) => {
    for (const sample of record.samples.filter((one) => positionsOf(one).length > 0)) {
      const { builder, outputs } = sampleBuilder(record, sample, { opset });
      // Samples of a record show what its newest form can say.
      if (!(await isLoaded(builder.freeze(outputs)))) continue;
      for (const symbolic of [undefined, ...symbolicSizes(sample).slice(0, 1)]) {
        const label = `${op} at ${opset}, ${sample.name}, ${symbolic ?? 'no'} symbol`;
        const graph = gradientGraph(record, sample, opset, symbolic);
        if (typeof graph !== 'string') await expectLoaded(graph, label);
        else if (graph !== 'nothing to differentiate') {
          expect(graph, label).toMatch(
            /^cannot differentiate .* '.*': \w+( in this form)? came with operator set \d+, '.*' has \d+: export the model with \d+ or newer$/,
          );
          expect(opset, `${label}: ${graph}`).toBeLessThan(later[op] ?? OLDEST);
        }
      }
    }
  });
});

const vectorOf = (builder: GraphBuilder, ...numbers: readonly number[]): Value => builder.ints(numbers);
const forms: readonly (readonly [string, (b: GraphBuilder, x: Value) => Value])[] = [
  ['ReduceSum', (b, x) => b.op('ReduceSum', [x, vectorOf(b, 1)], { keepdims: 0 })],
  ['ReduceMean', (b, x) => b.op('ReduceMean', [x, vectorOf(b, 1)], { keepdims: 1 })],
  ['ReduceL2', (b, x) => b.op('ReduceL2', [x, vectorOf(b, 0, 1)])],
  ['ReduceMax over all', (b, x) => b.op('ReduceMax', [x], { keepdims: 0 })],
  ['Unsqueeze and Squeeze', (b, x) => b.op('Squeeze', [b.op('Unsqueeze', [x, vectorOf(b, 0, 1)]), vectorOf(b, 0)])],
  ['Split', (b, x) => b.ops('Split', [x, vectorOf(b, 1, 2)], 2, { axis: 1 })[0] ?? x],
  ['Dropout', (b, x) => b.op('Dropout', [x, b.scalar('float32', 0.25)])],
  ['Gemm', (b, x) => b.op('Gemm', [x, x], { transB: 1 })],
  ['Shape', (b, x) => b.op('Cast', [b.op('Shape', [x], { start: 1, end: 2 })], { to: 1 })],
  ['Shape from the end', (b, x) => b.op('Cast', [b.op('Shape', [x], { start: -1 })], { to: 1 })],
  ['Clip', (b, x) => b.op('Clip', [x, b.scalar('float32', 0), b.scalar('float32', 1)])],
  ['Clip from above', (b, x) => b.op('Clip', [x, null, b.scalar('float32', 1)])],
  ['Reshape', (b, x) => b.op('Reshape', [x, vectorOf(b, 3, 2)], { allowzero: 0 })],
];

describe('what is written in the newest form', () => {
  it.each(forms)('means the same in every operator set: %s', async (_, emitted) => {
    const feeds = { x: { dtype: 'float32', dims: [2, 3], data: Float32Array.of(0.3, -1, 2, 0.7, -0.2, 1.5) } } as const;
    const found = new Set<string>();
    for (const opset of OPSETS.filter((version) => version >= 9)) {
      const builder = new GraphBuilder('form', { '': opset });
      const y = emitted(builder, builder.input('x', 'float32', [2, 3]));
      const program = await cpuEngine.compile(builder.freeze([y]), { threads: 1, optimization: 'none' });
      const { [y]: result } = await program.run(feeds);
      await program.release();
      found.add(`${result?.dims}: ${result?.data}`);
    }
    expect(found.size).toBe(1);
  });

  it.each([
    [
      12,
      'ReduceSum',
      'axes that are computed',
      (b: GraphBuilder, x: Value) => b.op('ReduceSum', [x, b.op('Shape', [x])]),
    ],
    [
      12,
      'ReduceSum',
      'nothing over no axes',
      (b: GraphBuilder, x: Value) => b.op('ReduceSum', [x], { noop_with_empty_axes: 1 }),
    ],
    [
      15,
      'ScatterElements',
      'sums of writes',
      (b: GraphBuilder, x: Value) => b.op('ScatterElements', [x, vectorOf(b, 0), x], { reduction: 'add' }),
    ],
    [
      13,
      'Reshape',
      'sizes of zero',
      (b: GraphBuilder, x: Value) => b.op('Reshape', [x, vectorOf(b, 0)], { allowzero: 1 }),
    ],
    [10, 'Equal', 'equal floats', (b: GraphBuilder, x: Value) => b.op('Equal', [x, x])],
    [8, 'Where', 'a choice', (b: GraphBuilder, x: Value) => b.op('Where', [x, x, x])],
    [19, 'Gelu', 'Gelu', (b: GraphBuilder, x: Value) => b.op('Gelu', [x])],
  ] as const)('is refused where operator set %i cannot say it: %s, %s', (opset, op, _, emitted) => {
    const builder = new GraphBuilder('old', { '': opset });
    const x = builder.input('x', 'float32', [3]);
    expect(() => emitted(builder, x)).toThrow(
      new RegExp(
        `^${op}( in this form)? came with operator set ${opset + 1}, 'old' has ${opset}: export the model with`,
      ),
    );
  });
});
