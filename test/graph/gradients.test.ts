import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import type { GraphBuilder } from '../../graph/builder.ts';
import { differentiate } from '../../graph/differentiate.ts';
import type { Graph, Node, Value } from '../../graph/graph.ts';
import type { Gradient, OpDef, Sample } from '../../graph/op.ts';
import { findOp, ops } from '../../graph/ops/index.ts';
import { elementCount } from '../../graph/tensor.ts';
import { sampleBuilder, sampleFeeds, sampleInput, symbolicSizes } from '../rig/samples.ts';
import { decompositions, type Elements, type Feeds, relativeError, runnerOf, runOnce, slopes } from './gradient-rig.ts';

/** Five-point differences in float64 leave 1e-12 to 1e-9; a wrong rule leaves 1e-4 and more. */
const TOLERANCE = 1e-7;
/** What a mutant multiplies one gradient by: far above the tolerance, far below what an eye would notice. */
const MUTATION = 1 + 1e-4;
/** Linear maps evaluated twice in float64 differ by rounding only. */
const ROUNDING = 1e-12;
/** The same graph in float32: a few hundred roundings of 6e-8. */
const FLOAT32_TOLERANCE = 2e-5;
/** A decomposition stands for its operator if float32 cannot tell them apart. */
const DECOMPOSITION_TOLERANCE = 1e-6;

type FloatType = 'float32' | 'float64';

interface Options {
  readonly dtype?: FloatType;
  readonly symbolic?: number;
  readonly ruleAt?: (node: Node) => Gradient | undefined;
}

interface Case {
  readonly record: OpDef & { readonly gradient: Gradient };
  readonly sample: Sample;
  /** Positions of the inputs whose gradients are checked. */
  readonly positions: readonly number[];
}

/** An operator set under which the record is the one in force. */
const opsetOf = (record: OpDef): number => {
  const opset = [20, 24, 12, 11].find(
    (version) => findOp(record.domain, record.op, record.domain === '' ? version : 1) === record,
  );
  return opset ?? record.since;
};

const seedOf = (sample: Sample): number => sample.name.length;

/** Fixed random weights make every output element count differently. */
const weightFeeds = (types: readonly { dims: readonly number[] }[], dtype: FloatType, seed: number): Feeds =>
  Object.fromEntries(
    types.map(({ dims }, i) => {
      const random = stream(seed, 'gradient-weights', i);
      const numbers = Array.from({ length: elementCount(dims) }, () => random.normal());
      const data = dtype === 'float64' ? Float64Array.from(numbers) : Float32Array.from(numbers);
      return [`weight${i}`, { dtype, dims, data }];
    }),
  );

const isFloat = (builder: GraphBuilder, v: Value): boolean => /^float/.test(builder.type(v).dtype);

/** loss = sum over outputs of output * weight, in `dtype`. */
const weightedSum = (builder: GraphBuilder, outputs: readonly Value[], dtype: FloatType): Value => {
  const to = dtype === 'float64' ? 11 : 1;
  const sums = outputs
    .filter((v) => isFloat(builder, v))
    .map((y, i) => {
      const weight = builder.input(`weight${i}`, dtype, builder.type(y).shape);
      const same = builder.type(y).dtype === dtype ? y : builder.op('Cast', [y], { to });
      return builder.op('ReduceSum', [builder.op('Mul', [same, weight])], { keepdims: 0 });
    });
  return sums.length === 1 && sums[0] !== undefined ? sums[0] : builder.op('Sum', sums);
};

interface Built {
  /** Its first output is the loss, the others are the gradients by position. */
  readonly graph: Graph;
  readonly outputs: readonly Value[];
}

const build = ({ record, sample, positions }: Case, options: Options): Built => {
  const dtype = options.dtype ?? 'float64';
  const { builder, outputs } = sampleBuilder(record, sample, {
    ...options,
    dtype,
    opset: opsetOf(record),
    seed: seedOf(sample),
  });
  const loss = weightedSum(builder, outputs, dtype);
  const wrt = positions.map(sampleInput);
  const { ruleAt } = options;
  const gradients = differentiate(builder, loss, wrt, ruleAt === undefined ? {} : { ruleAt });
  const found = wrt.map((v) => {
    const gradient = gradients.get(v);
    if (gradient === undefined) throw new Error(`no gradient reaches ${v}`);
    return gradient;
  });
  return { graph: builder.freeze([loss, ...found]), outputs };
};

const outputTypes = (one: Case): readonly { dims: readonly number[] }[] => {
  const { builder, outputs } = sampleBuilder(one.record, one.sample, { dtype: 'float64', opset: opsetOf(one.record) });
  return outputs
    .filter((v) => isFloat(builder, v))
    .map((v) => ({ dims: (builder.type(v).shape ?? []).map((dim) => (typeof dim === 'number' ? dim : 0)) }));
};

const feedsOf = (one: Case, dtype: FloatType = 'float64', seed = 1): Feeds => ({
  ...sampleFeeds(one.sample, seedOf(one.sample), dtype),
  ...weightFeeds(outputTypes(one), dtype, seed),
});

/** The gradients by position, as the graph computes them. */
const analytic = async (
  one: Case,
  options: Options = {},
  feeds = feedsOf(one, options.dtype),
): Promise<readonly Elements[]> => (await runOnce(build(one, options).graph, feeds)).slice(1);

const numeric = async (one: Case): Promise<readonly Elements[]> => {
  const { graph } = build(one, {});
  const runner = await runnerOf({ ...graph, outputs: graph.outputs.slice(0, 1) });
  try {
    const all: Elements[] = [];
    for (const position of one.positions) all.push(await slopes(runner, feedsOf(one), sampleInput(position)));
    return all;
  } finally {
    await runner.release();
  }
};

const worst = (found: readonly Elements[], reference: readonly Elements[]): number =>
  Math.max(...reference.map((elements, i) => relativeError(found[i] ?? [], elements)));

/** The record's own rule with the gradient of one input multiplied. */
const mutant =
  ({ record }: Case, position: number, factor: number) =>
  (node: Node): Gradient | undefined =>
    node.name !== 'sample'
      ? undefined
      : (emit, call, dy) =>
          record.gradient(emit, call, dy).map((dx, i) => {
            if (i !== position || dx === null) return dx;
            return emit.op('Mul', [dx, emit.scalar(emit.type(dx).dtype, factor)]);
          });

const positionsOf = (sample: Sample): readonly number[] =>
  sample.differentiable ??
  sample.inputs.flatMap((input, i) =>
    input !== null && input.dtype === 'float32' && input.constant !== true ? [i] : [],
  );

const hasRule = (record: OpDef): record is OpDef & { readonly gradient: Gradient } =>
  typeof record.gradient === 'function';

/** A cast to float32 has rounding errors of its own: differences say nothing there. */
const keepsFloat64 = (one: Case): boolean => {
  const { builder, outputs } = sampleBuilder(one.record, one.sample, { dtype: 'float64', opset: opsetOf(one.record) });
  return outputs.every((v) => builder.type(v).dtype !== 'float32');
};

const cases: readonly Case[] = ops
  .filter(hasRule)
  .flatMap((record) =>
    record.samples
      .map((sample) => ({ record, sample, positions: positionsOf(sample) }))
      .filter((one) => one.positions.length > 0 && keepsFloat64(one)),
  );

const title = ({ record, sample }: Case): string =>
  `${record.domain === '' ? '' : `${record.domain}:`}${record.op} since ${record.since}: ${sample.name}`;

describe('every gradient rule', () => {
  it.each(cases.map((one) => [title(one), one] as const))('agrees with differences, alone: %s', async (_, one) => {
    const reference = await numeric(one);
    const exact = await analytic(one);
    expect(worst(exact, reference), 'float64').toBeLessThan(TOLERANCE);

    for (const [i, position] of one.positions.entries()) {
      for (const factor of [MUTATION, -1]) {
        const broken = await analytic(one, { ruleAt: mutant(one, position, factor) });
        expect(relativeError(broken[i] ?? [], reference[i] ?? []), `x${position} times ${factor}`).toBeGreaterThan(
          TOLERANCE,
        );
      }
    }

    const single = await analytic(one, { dtype: 'float32' });
    expect(worst(single, exact), 'float32').toBeLessThan(FLOAT32_TOLERANCE);

    for (const symbolic of symbolicSizes(one.sample)) {
      expect(worst(await analytic(one, { symbolic }), exact), `size ${symbolic} as a symbol`).toBeLessThan(ROUNDING);
    }
  });

  it.each(cases.map((one) => [title(one), one] as const))('is linear in dy: %s', async (_, one) => {
    const runner = await runnerOf(build(one, {}).graph);
    try {
      const [first, second] = [feedsOf(one), feedsOf(one, 'float64', 2)];
      const mixed = Object.fromEntries(
        Object.entries(first).map(([name, tensor]) => {
          if (!name.startsWith('weight')) return [name, tensor];
          const other = Array.from(second[name]?.data ?? [], Number);
          const data = Float64Array.from(Array.from(tensor.data, Number), (x, i) => 3 * x - 2 * (other[i] ?? 0));
          return [name, { ...tensor, data }];
        }),
      );
      const [a, b, c] = [await runner.run(first), await runner.run(second), await runner.run(mixed)];
      const sums = a.slice(1).map((elements, k) => elements.map((x, i) => 3 * x - 2 * (b[k + 1]?.[i] ?? Number.NaN)));
      const size = Math.max(...a.slice(1).flat().map(Math.abs), ...b.slice(1).flat().map(Math.abs));
      const apart = sums.flatMap((elements, k) => elements.map((x, i) => Math.abs(x - (c[k + 1]?.[i] ?? Number.NaN))));
      expect(Math.max(...apart)).toBeLessThanOrEqual(ROUNDING * size);
    } finally {
      await runner.release();
    }
  });
});

describe('float64 decompositions', () => {
  const decomposed = cases.filter(({ record }) => decompositions[record.op] !== undefined);

  it.each(decomposed.map((one) => [title(one), one] as const))('agree with the operator: %s', async (_, one) => {
    const outputsIn = async (dtype: FloatType): Promise<Elements> => {
      const options = { dtype, opset: opsetOf(one.record), seed: seedOf(one.sample) };
      const { builder, outputs } = sampleBuilder(one.record, one.sample, options);
      return (await runOnce(builder.freeze(outputs), feedsOf(one, dtype))).flat();
    };
    const [exact, single] = [await outputsIn('float64'), await outputsIn('float32')];
    expect(relativeError(single, exact)).toBeLessThan(DECOMPOSITION_TOLERANCE);
  });

  it('are there for every operator that has no float64 kernel', () => {
    expect(new Set(decomposed.map(({ record }) => record.op))).toEqual(new Set(Object.keys(decompositions)));
  });
});
