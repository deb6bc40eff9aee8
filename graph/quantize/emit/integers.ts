import type { GraphBuilder } from '../../builder.ts';
import type { Graph, Node, Value } from '../../graph.ts';
import { type Tensor, tensorOf } from '../../tensor.ts';
import { type Limit, quantizeMatrix, transposed } from '../weights.ts';

/** An activation as DynamicQuantizeLinear gives it: uint8 numbers, their step and their zero point. */
interface Activation {
  readonly integers: Value;
  readonly step: Value;
  readonly zero: Value;
}
/** Whole numbers of a matrix, and the step of each column. */
interface Weight {
  readonly integers: Value;
  readonly steps: Value;
  /** What stands for zero where that is not 0. */
  readonly zero?: Value;
}

/** Everything one quantization shares. */
export interface Emission {
  readonly graph: Graph;
  readonly builder: GraphBuilder;
  readonly limit: Limit;
  /** Whether matrices that are multiplied by are signed. */
  readonly signed: boolean;
  /** Activations by float value: projections of one input quantize it once. */
  readonly activations: Map<Value, Activation>;
  readonly weights: Map<string, Weight>;
}

const floatCode = 1;

/** What stands for zero among unsigned bytes. */
const UNSIGNED_ZERO = 128;

const unsigned = (tensor: Tensor): Tensor =>
  tensorOf(
    'uint8',
    tensor.dims,
    Uint8Array.from(tensor.bytes.read(), (byte) => (byte + UNSIGNED_ZERO) % 256),
  );

const tensorAt = ({ graph }: Emission, node: Node, position: number): { name: Value; tensor: Tensor } => {
  const name = node.inputs[position];
  const tensor = name === null || name === undefined ? undefined : graph.weights.get(name);
  if (tensor === undefined || name === null || name === undefined) {
    throw new Error(`input ${position} of '${node.name}' is no weight`);
  }
  return { name, tensor };
};

const activationOf = ({ builder, activations }: Emission, x: Value): Activation => {
  const known = activations.get(x);
  if (known !== undefined) return known;
  const [integers, step, zero] = builder.within(x, () => builder.ops('DynamicQuantizeLinear', [x], 3));
  if (integers === undefined || step === undefined || zero === undefined)
    throw new Error('three outputs were asked for');
  const activation = { integers, step, zero };
  activations.set(x, activation);
  return activation;
};

const stored = (emission: Emission, key: string, make: () => { integers: Tensor; steps: Tensor }): Weight => {
  const known = emission.weights.get(key);
  if (known !== undefined) return known;
  const { integers, steps } = make();
  const { builder } = emission;
  const weight = {
    integers: builder.weight(`${key}_quantized`, integers),
    steps: builder.weight(`${key}_scale`, steps),
    ...(integers.dtype === 'uint8' ? { zero: builder.scalar('uint8', UNSIGNED_ZERO) } : {}),
  };
  emission.weights.set(key, weight);
  return weight;
};

/** int8 (in, out) with a step an output. */
export const linearWeight = (emission: Emission, node: Node): Weight => {
  const { name, tensor } = tensorAt(emission, node, 1);
  const turned = node.attrs.transB?.kind === 'int' && node.attrs.transB.value === 1;
  return stored(emission, turned ? `${name}_transposed` : name, () => {
    const { integers, steps } = quantizeMatrix(name, tensor, turned ? 'rows' : 'columns', emission.limit);
    const whole = turned ? transposed(integers) : integers;
    return { integers: emission.signed ? whole : unsigned(whole), steps };
  });
};

/** The node that gives what the node before it gave. */
export const finish = ({ graph, builder }: Emission, op: string, inputs: readonly Value[], output: Value): void =>
  builder.add({ op, domain: '', name: output, inputs, outputs: [output], attrs: {} }, () => graph.types.get(output));

/**
 * x W = (step_x step_W) (X - zero) W with 8-bit X and W. In standard operators, which ONNX Runtime joins with the bias
 * behind them into DynamicQuantizeMatMul or MatMulIntegerToFloat at load: writing those directly runs no faster.
 */
export const emitLinear = (emission: Emission, node: Node): void => {
  const [x] = node.inputs;
  const [output] = node.outputs;
  if (!x || output === undefined) throw new Error(`'${node.name}' lacks an input or an output`);
  const { builder } = emission;
  const weight = linearWeight(emission, node);
  const activation = activationOf(emission, x);
  builder.within(output, () => {
    const sum = builder.op('MatMulInteger', [
      ...[activation.integers, weight.integers, activation.zero],
      ...(weight.zero === undefined ? [] : [weight.zero]),
    ]);
    const product = builder.op('Cast', [sum], { to: floatCode });
    const steps = builder.op('Mul', [activation.step, weight.steps]);
    const bias = node.inputs[2] ?? undefined;
    if (bias === undefined) finish(emission, 'Mul', [product, steps], output);
    else finish(emission, 'Add', [builder.op('Mul', [product, steps]), bias], output);
  });
};

/**
 * Attention whose packed projection multiplies in 8 bits (QAttention); scores and mixing stay in float. `inputs` are the
 * integers, their matrix, the bias, both steps, the padding mask and the zero point.
 */
export const emitAttention = (emission: Emission, node: Node): void => {
  const [x, , bias, mask = null] = node.inputs;
  if (!x || !bias) throw new Error(`'${node.name}' lacks an input or a bias`);
  const weight = linearWeight(emission, node);
  const { integers, step, zero } = activationOf(emission, x);
  const inputs = [
    integers,
    weight.integers,
    bias,
    step,
    weight.steps,
    mask,
    zero,
    ...(weight.zero ? [weight.zero] : []),
  ];
  emission.builder.add({ ...node, op: 'QAttention', inputs }, (name) => emission.graph.types.get(name));
};

/** int8 rows times a step a column, as float. */
const dequantized = ({ builder }: Emission, integers: Value, steps: Value): readonly [Value, Value] => [
  builder.op('Cast', [integers], { to: floatCode }),
  steps,
];

const columnSteps = (emission: Emission, name: Value): Weight =>
  stored(emission, name, () => {
    const tensor = emission.graph.weights.get(name);
    if (tensor === undefined) throw new Error(`'${name}' is no weight`);
    return quantizeMatrix(name, tensor, 'columns', 127);
  });

/** A matrix of the file's integers times their steps: constants, which a session multiplies once when it loads. */
export const emitStored = (emission: Emission, name: Value): Value => {
  const { builder } = emission;
  const { integers, steps } = columnSteps(emission, name);
  return builder.within(name, () => builder.op('Mul', dequantized(emission, integers, steps)));
};

/**
 * Rows of a table as int8 with a step a column: only the rows that are looked up become floats. A step a row would be
 * nearer to the table, but takes a second look-up and more bytes, and measures no better in accuracy.
 */
export const emitLookup = (emission: Emission, node: Node): void => {
  const { name } = tensorAt(emission, node, 0);
  const [, ids] = node.inputs;
  const [output] = node.outputs;
  if (!ids || output === undefined) throw new Error(`'${node.name}' lacks an input or an output`);
  const { builder } = emission;
  const { integers, steps } = columnSteps(emission, name);
  builder.within(output, () => {
    const rows = builder.op('Gather', [integers, ids]);
    finish(emission, 'Mul', dequantized(emission, rows, steps), output);
  });
};
