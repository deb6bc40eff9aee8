import { refusal } from '../../ground/errors.ts';
import type { Shape } from '../dim.ts';
import type { TensorType, Value } from '../graph.ts';
import type { Call, CutRule, Emit, Gradient, Inferred, OpDef, Sample, SampleInput } from '../op.ts';
import { arrayOf, elementCount } from '../tensor.ts';
import { broadcastCut, cutsOf, type Port, refuse, ruleByPort } from './shared-cuts.ts';
import { scalarSizeOf } from './shared-emit.ts';
import { broadcastShapes, dtypeNumber, inputOf, noMacs } from './shared-structure.ts';

export const floatAttr = (call: Call, name: string, fallback: number): number => {
  const attr = call.node.attrs[name];
  return attr?.kind === 'float' || attr?.kind === 'int' ? attr.value : fallback;
};

/** A float32 sample input. */
export const floats = (...dims: readonly number[]) => ({ dtype: 'float32', dims }) as const;

/** A float32 sample input within bounds. */
export const within = (range: readonly [number, number], ...dims: readonly number[]) =>
  ({ dtype: 'float32', dims, range }) as const;

/** A constant int64 vector of a sample: axes. */
export const axesInput = (...data: readonly number[]): SampleInput => ({
  dtype: 'int64',
  dims: [data.length],
  data,
  constant: true,
});

/** The type of the first input, for operators that change elements only. */
export const inferSame = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  return [{ dtype, shape }];
};

/** The first input's element type in the shape that all inputs broadcast to. */
export const inferBroadcast = (call: Call): readonly Inferred[] => {
  const shapes = call.inputs.flatMap((type) => (type === undefined ? [] : [type.shape]));
  return [{ dtype: inputOf(call, 0).dtype, shape: broadcastShapes(call, shapes) }];
};

/** An input that a gradient cannot do without. */
export const operand = (call: Call, position: number): Value => {
  const input = call.node.inputs[position];
  if (input == null) throw refusal(`${call.node.op} '${call.node.name}': input ${position} is missing`);
  return input;
};

/** An output that a gradient reads again. */
export const result = (call: Call, position = 0): Value => {
  const output = call.node.outputs[position];
  if (output === undefined) throw refusal(`${call.node.op} '${call.node.name}': output ${position} is missing`);
  return output;
};

/** A scalar of the element type of `like`. */
export const scalarLike = (emit: Emit, like: Value, number: number): Value =>
  emit.scalar(emit.type(like).dtype, number);

/** x * number. */
export const scale = (emit: Emit, x: Value, number: number): Value =>
  number === 1 ? x : emit.op('Mul', [x, scalarLike(emit, x, number)]);

/** The gradient of one input: null where no gradient arrives at the first output, and for the other inputs. */
export const gradientOfFirst =
  (rule: (emit: Emit, call: Call, dy: Value, x: Value) => Value): Gradient =>
  (emit, call, [dy]) =>
    call.node.inputs.map((x, position) => (position > 0 || dy == null || x === null ? null : rule(emit, call, dy, x)));

interface Unary {
  readonly op: string;
  readonly since: number;
  readonly domain?: string;
  readonly range?: readonly [number, number];
  readonly samples?: readonly Sample[];
  readonly infer?: (call: Call) => readonly Inferred[];
  readonly uses?: NonNullable<OpDef['uses']>;
  readonly masks?: NonNullable<OpDef['masks']>;
  readonly steep?: NonNullable<OpDef['steep']>;
  /** dx, from dy, x and y = f(x). */
  readonly dx: (emit: Emit, dy: Value, x: Value, y: Value, call: Call) => Value;
}

/** A record for y = f(x), element by element. */
export const unary = ({ op, since, domain = '', range, samples, infer = inferSame, dx, ...traits }: Unary): OpDef => ({
  ...traits,
  domain,
  op,
  since,
  infer,
  gradient: gradientOfFirst((emit, call, dy, x) => dx(emit, dy, x, result(call), call)),
  cut: broadcastCut(infer, [0]),
  macs: noMacs,
  samples: samples ?? [
    { name: 'a matrix', inputs: [range === undefined ? floats(3, 4) : within(range, 3, 4)] },
    { name: 'a scalar', inputs: [range === undefined ? floats() : within(range)] },
  ],
});

/** A reduction over `axes`. */
export const reduce = (emit: Emit, op: string, x: Value, axes: readonly number[], keepdims: boolean): Value =>
  axes.length === 0 ? x : emit.op(op, [x, emit.ints(axes)], { keepdims: keepdims ? 1 : 0 });

/** 1 where a condition holds and 0 elsewhere (or any numbers) in the element type of `like`. */
export const indicator = (emit: Emit, condition: Value, like: Value): Value =>
  emit.op('Cast', [condition], { to: dtypeNumber(emit.type(like).dtype) });

/** Whether elements are the same numbers: Equal takes floats since operator set 11 only. */
export const equals = (emit: Emit, a: Value, b: Value): Value =>
  emit.opset >= 11
    ? emit.op('Equal', [a, b])
    : emit.op('Not', [emit.op('Or', [emit.op('Less', [a, b]), emit.op('Greater', [a, b])])]);

/** x where a condition holds and 0 elsewhere, whatever x is there; before Where, a product. */
export const selected = (emit: Emit, condition: Value, x: Value): Value =>
  emit.opset < 9
    ? emit.op('Mul', [x, indicator(emit, condition, x)])
    : emit.op('Where', [condition, x, scalarLike(emit, x, 0)]);

/** Whether an element is not zero. */
export const nonZero = (emit: Emit, x: Value): Value => emit.op('Cast', [x], { to: dtypeNumber('bool') });

/** Elements of a constant of floats, where an input is one. */
export const constantFloats = (call: Call, position: number): ArrayLike<number> | undefined => {
  const tensor = call.constant(position);
  if (tensor?.dtype === 'float32') return arrayOf({ ...tensor, dtype: 'float32' });
  return tensor?.dtype === 'float64' ? arrayOf({ ...tensor, dtype: 'float64' }) : undefined;
};

/** The number of elements behind some axes of a value: a number where all are known, else computed when it runs. */
const countAlong = (emit: Emit, x: Value, axes: readonly number[]): number | Value => {
  const { shape } = emit.type(x);
  const numbers = axes.map((axis) => shape?.[axis]).filter((dim) => typeof dim === 'number');
  if (numbers.length === axes.length) return elementCount(numbers);
  const sizes = axes.map((axis) => scalarSizeOf(emit, x, axis));
  return indicator(
    emit,
    sizes.reduce((a, b) => emit.op('Mul', [a, b])),
    x,
  );
};

/** x divided by the number of elements behind `axes` of `over`. */
export const divideByCount = (emit: Emit, x: Value, over: Value, axes: readonly number[]): Value => {
  const count = countAlong(emit, over, axes);
  return typeof count === 'number' ? scale(emit, x, 1 / count) : emit.op('Div', [x, count]);
};

/** One name an axis of a port; a null axis cannot be cut. */
export type Labels = readonly (string | null)[];

/**
 * A cut rule in the manner of einsum: axes with the same label hold the same indices and are cut together; axes of size
 * one broadcast and need none.
 */
export const labelCut = (
  infer: (call: Call) => readonly TensorType[],
  labelsOf: (call: Call, port: Port, shape: Shape) => Labels,
  why: string,
): CutRule =>
  ruleByPort(infer, (call, port, cut, ports) => {
    if (ports.some((p) => p.shape === undefined)) return refuse('has values of unknown shape');
    const label = labelsOf(call, port, port.shape ?? [])[cut.axis];
    if (label == null) return refuse(why);
    const aligned = ports.flatMap((p) => {
      const shape = p.shape ?? [];
      return labelsOf(call, p, shape).flatMap((other, axis) =>
        other === label && shape[axis] !== 1 ? [{ value: p.value, axis, size: shape[axis] }] : [],
      );
    });
    const odd = aligned.find(({ size }) => size !== cut.owner.length);
    if (odd !== undefined) {
      return refuse(
        `cannot cut axis ${odd.axis} of '${odd.value}', of size ${odd.size}, with axis ${cut.axis} of '${cut.value}'`,
      );
    }
    return { cuts: aligned.flatMap((p) => cutsOf(p.value, p.axis, cut.owner)) };
  });

/** Labels of axes that broadcast: counted from the end. */
export const fromEnd = (shape: Shape): string[] => shape.map((_, axis) => `-${shape.length - axis}`);
