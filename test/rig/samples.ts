import { stream } from '../../data/random.ts';
import type { HostTensor } from '../../engine/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { attributesOf } from '../../graph/call.ts';
import { type Shape, symbol } from '../../graph/dim.ts';
import { type Graph, type Value, value } from '../../graph/graph.ts';
import type { OpDef, Sample, SampleInput } from '../../graph/op.ts';
import { type ArrayOf, type DType, elementCount, newArray, type Tensor, tensorOf } from '../../graph/tensor.ts';

type Present = NonNullable<SampleInput>;

/** What a sample's float32 inputs become: gradients are checked in float64. */
type FloatType = 'float32' | 'float64';

export interface SampleOptions {
  readonly dtype?: FloatType;
  /** Every dimension of this size in a seeded input becomes the symbol `n`. */
  readonly symbolic?: number;
  readonly opset?: number;
  /** Every input becomes a weight, as cuts need them. */
  readonly constant?: boolean;
  /** Seeds constants without explicit elements; feeds take their own seed. */
  readonly seed?: number;
}

/** The name of an input position in the graph of a sample. */
export const sampleInput = (position: number): Value => value(`x${position}`);
const sampleOutput = (position: number): Value => value(`y${position}`);

/** The symbol that `symbolic` puts in. */
const sampleSymbol = symbol('n');

const INTEGERS_BELOW = 4;

const fill = (array: ArrayOf<DType>, element: (i: number) => number): void => {
  if (array instanceof BigInt64Array || array instanceof BigUint64Array) {
    for (let i = 0; i < array.length; i++) array[i] = BigInt(Math.round(element(i)));
  } else {
    for (let i = 0; i < array.length; i++) array[i] = element(i);
  }
};

const isFloat = (dtype: DType): boolean => dtype === 'float32' || dtype === 'float64';

const elementMaker = (input: Present, seed: number, position: number): ((i: number) => number) => {
  const { data, range, max } = input;
  if (data !== undefined) return (i) => data[i] ?? 0;
  const random = stream(seed, 'sample', position);
  if (range !== undefined) {
    const [low, high] = range;
    return isFloat(input.dtype)
      ? () => low + (high - low) * random.uniform()
      : () => low + random.integer(high - low + 1);
  }
  if (isFloat(input.dtype)) return () => random.normal();
  return () => random.integer(input.dtype === 'bool' ? 2 : (max ?? INTEGERS_BELOW));
};

const dtypeOf = (input: Present, dtype: FloatType = 'float32'): DType =>
  input.dtype === 'float32' ? dtype : input.dtype;

const dataOf = (input: Present, position: number, seed: number, dtype: FloatType | undefined): ArrayOf<DType> => {
  const array = newArray(dtypeOf(input, dtype), elementCount(input.dims));
  fill(array, elementMaker(input, seed, position));
  return array;
};

const tensorOfInput = (input: Present, position: number, options: SampleOptions): Tensor =>
  tensorOf(dtypeOf(input, options.dtype), input.dims, dataOf(input, position, options.seed ?? 1, options.dtype));

/** Values for the inputs of a sample's graph, by input name: seeded, or the sample's own elements. */
export const sampleFeeds = (sample: Sample, seed: number, dtype?: FloatType): Readonly<Record<string, HostTensor>> => {
  const feeds: Record<string, HostTensor> = {};
  for (const [position, input] of sample.inputs.entries()) {
    if (input === null || input.constant === true) continue;
    const data = dataOf(input, position, seed, dtype);
    feeds[sampleInput(position)] = { dtype: dtypeOf(input, dtype), dims: input.dims, data };
  }
  return feeds;
};

const shapeOf = (input: Present, symbolic: number | undefined): Shape =>
  input.data !== undefined ? input.dims : input.dims.map((dim) => (dim === symbolic ? sampleSymbol : dim));

/** A sample's node, its inputs and constants in a builder of their own, ready for more nodes. */
export const sampleBuilder = (
  record: OpDef,
  sample: Sample,
  options: SampleOptions = {},
): {
  readonly builder: GraphBuilder;
  readonly inputs: readonly (Value | null)[];
  readonly outputs: readonly Value[];
} => {
  const opset = options.opset ?? 20;
  const builder = new GraphBuilder(`${record.op}: ${sample.name}`, { '': opset, 'com.microsoft': 1 });
  const inputs = sample.inputs.map((input, position) => {
    if (input === null) return null;
    return input.constant === true || options.constant === true
      ? builder.weight(sampleInput(position), tensorOfInput(input, position, options))
      : builder.input(sampleInput(position), dtypeOf(input, options.dtype), shapeOf(input, options.symbolic));
  });
  const outputs = Array.from({ length: sample.outputs ?? 1 }, (_, i) => sampleOutput(i));
  builder.add({
    op: record.op,
    domain: record.domain,
    name: 'sample',
    inputs,
    outputs,
    attrs: attributesOf(sample.attrs),
  });
  return { builder, inputs, outputs };
};

/** A graph of one node: inputs `x0`, `x1` ..., outputs `y0`, `y1` ...; constant inputs are weights under those names. */
export const sampleGraph = (record: OpDef, sample: Sample, options: SampleOptions = {}): Graph => {
  const { builder, outputs } = sampleBuilder(record, sample, options);
  return builder.freeze(outputs);
};

/** Sizes that `symbolic` can stand for: those of inputs whose elements are seeded and fed. One is no size: it broadcasts. */
export const symbolicSizes = (sample: Sample): readonly number[] => [
  ...new Set(
    sample.inputs.flatMap((input) =>
      input === null || input.constant === true || input.data !== undefined ? [] : input.dims.filter((dim) => dim > 1),
    ),
  ),
];
