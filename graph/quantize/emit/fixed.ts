import type { Node, Value } from '../../graph.ts';
import { tensorOf } from '../../tensor.ts';
import { fixedPointOf, type Ranges } from '../range.ts';
import { quantizeError } from '../weights.ts';
import { type Emission, finish, linearWeight } from './integers.ts';

/** Where what products read has a range that is known before the model runs. */
export interface FixedEmission {
  readonly integers: Emission;
  readonly ranges: Ranges;
  /** Activations that went through 8 bits, by float value: projections of one input round it once. */
  readonly rounded: Map<Value, Value>;
}

/** x as 8 bits keep it: in whole steps of its range, what lies beyond at its end. */
const roundedInput = ({ integers: { builder }, ranges, rounded }: FixedEmission, x: Value): Value => {
  const known = rounded.get(x);
  if (known !== undefined) return known;
  const range = ranges.get(x);
  if (range === undefined) throw quantizeError(`nothing is known of the range of '${x}': texts have to be read for it`);
  const { step, zero } = fixedPointOf(range);
  const value = builder.within(x, () => {
    const settings = [
      builder.constant(tensorOf('float32', [], Float32Array.of(step))),
      builder.constant(tensorOf('uint8', [], Uint8Array.of(zero))),
    ];
    const whole = builder.op('QuantizeLinear', [x, ...settings]);
    return builder.op('DequantizeLinear', [whole, ...settings]);
  });
  rounded.set(x, value);
  return value;
};

/**
 * x W with both rounded to 8 bits and widened again (QDQ), in standard operators: runtimes that know the pattern multiply in
 * 8 bits, and every other computes the same in floats. What comes of it stays in float.
 */
export const emitFixed = (emission: FixedEmission, node: Node): void => {
  const [x] = node.inputs;
  const [output] = node.outputs;
  if (!x || output === undefined) throw new Error(`'${node.name}' lacks an input or an output`);
  const { builder } = emission.integers;
  const { integers, steps } = linearWeight(emission.integers, node);
  const rounded = roundedInput(emission, x);
  builder.within(output, () => {
    const matrix = builder.op('DequantizeLinear', [integers, steps], { axis: 1 });
    const bias = node.inputs[2] ?? undefined;
    if (bias === undefined) finish(emission.integers, 'MatMul', [rounded, matrix], output);
    else finish(emission.integers, 'Add', [builder.op('MatMul', [rounded, matrix]), bias], output);
  });
};
