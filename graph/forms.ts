import { modelError } from '../ground/errors.ts';
import type { Value } from './graph.ts';
import type { AttributeInput, Emit } from './op.ts';
import { firstOpset } from './ops/index.ts';
import { numbersOf, type Tensor } from './tensor.ts';

/** An operator as decant writes it, and as an operator set wants it. */
export interface Form {
  readonly op: string;
  readonly inputs: readonly (Value | null)[];
  readonly attrs: AttributeInput;
}

/** Where forms are written: constants can be read, since what is an input today was an attribute. */
export interface FormScope extends Emit {
  weightOf(value: Value): Tensor | undefined;
}

/** How an operator is written before an operator set. */
interface Older {
  readonly before: number;
  /** The older form; undefined where that operator set cannot say it. */
  write(scope: FormScope, form: Form): Form | undefined;
}

const numbersAt = (scope: FormScope, { inputs }: Form, position: number): readonly number[] | undefined => {
  const input = inputs[position] ?? undefined;
  const tensor = input === undefined ? undefined : scope.weightOf(input);
  return tensor === undefined ? undefined : numbersOf(tensor);
};

/** Constant inputs from the second on become attributes of these names. */
const asAttributes =
  (...names: readonly string[]) =>
  (scope: FormScope, form: Form): Form | undefined => {
    const attrs: Record<string, AttributeInput[string]> = { ...form.attrs };
    for (const [i, name] of names.entries()) {
      if (form.inputs[i + 1] == null) continue;
      const numbers = numbersAt(scope, form, i + 1);
      if (numbers === undefined) return undefined;
      attrs[name] = numbers;
    }
    return { ...form, inputs: form.inputs.slice(0, 1), attrs };
  };

/** One number each, always written as a float. */
const asFloats =
  (...names: readonly string[]) =>
  (scope: FormScope, form: Form): Form | undefined => {
    const lists = asAttributes(...names)(scope, form);
    if (lists === undefined) return undefined;
    const floats = names.flatMap((name, i) => {
      const [number] = form.inputs[i + 1] == null ? [] : (numbersAt(scope, form, i + 1) ?? []);
      return number === undefined ? [] : [[name, { float: number }] as const];
    });
    return { ...lists, attrs: { ...lists.attrs, ...Object.fromEntries(floats) } };
  };

/** Without axes all were meant, and doing nothing could not be said. */
const axesAsAttribute = (scope: FormScope, form: Form): Form | undefined => {
  const { noop_with_empty_axes: idle, ...attrs } = form.attrs;
  const axes = form.inputs[1] == null ? [] : numbersAt(scope, form, 1);
  if (axes === undefined || (axes.length === 0 && idle === 1)) return undefined;
  return { ...form, inputs: form.inputs.slice(0, 1), attrs: { ...attrs, ...(axes.length === 0 ? {} : { axes }) } };
};

/** Some sizes of a value: picked from all of them. */
const pickedSizes = (scope: FormScope, form: Form): Form | undefined => {
  const { start = 0, end } = form.attrs;
  const [x] = form.inputs;
  if (start === 0 && end === undefined) return { ...form, attrs: {} };
  const rank = x == null ? undefined : scope.type(x).shape?.length;
  if (rank === undefined || typeof start !== 'number' || (end !== undefined && typeof end !== 'number'))
    return undefined;
  const axes = Array.from({ length: rank }, (_, axis) => axis).slice(start, end);
  return { op: 'Gather', inputs: [scope.op('Shape', form.inputs), scope.ints(axes)], attrs: { axis: 0 } };
};

const withAddend = (scope: FormScope, form: Form): Form | undefined => {
  const [a, b, c] = form.inputs;
  if (c != null || a == null || b == null) return form;
  return { ...form, inputs: [a, b, scope.scalar(scope.type(a).dtype, 0)] };
};

/** Attributes that say nothing yet may be left out; others cannot be said. */
const without =
  (name: string, nothing: number | string) =>
  (_: FormScope, form: Form): Form | undefined => {
    const { [name]: said, ...attrs } = form.attrs;
    return said === undefined || said === nothing ? { ...form, attrs } : undefined;
  };

/** No choice of floats by equality. */
const integersOnly = (scope: FormScope, form: Form): Form | undefined =>
  form.inputs.every((input) => input === null || !scope.type(input).dtype.startsWith('float')) ? form : undefined;

const reductions = [
  'ReduceMean',
  'ReduceMax',
  'ReduceMin',
  'ReduceSumSquare',
  'ReduceL1',
  'ReduceL2',
  'ReduceLogSumExp',
];

/** What changed in how the operators are written that decant adds to graphs, the latest change first. */
const older: Readonly<Record<string, readonly Older[]>> = {
  ReduceSum: [{ before: 13, write: axesAsAttribute }],
  ...Object.fromEntries(reductions.map((op) => [op, [{ before: 18, write: axesAsAttribute }]])),
  Squeeze: [{ before: 13, write: asAttributes('axes') }],
  Unsqueeze: [{ before: 13, write: asAttributes('axes') }],
  Split: [{ before: 13, write: asAttributes('split') }],
  Dropout: [{ before: 12, write: asFloats('ratio') }],
  Clip: [{ before: 11, write: asFloats('min', 'max') }],
  Shape: [{ before: 15, write: pickedSizes }],
  Gemm: [{ before: 11, write: withAddend }],
  Reshape: [{ before: 14, write: without('allowzero', 0) }],
  ScatterElements: [{ before: 16, write: without('reduction', 'none') }],
  ScatterND: [{ before: 16, write: without('reduction', 'none') }],
  Equal: [{ before: 11, write: integersOnly }],
};

/**
 * An operator in the form of a graph's operator set. What decant adds to graphs of somebody else is written as the newest set
 * has it; here it becomes what this one has, or is refused.
 */
export const formFor = (scope: FormScope, graph: string, form: Form): Form => {
  const needs = (version: number, what = form.op): never => {
    throw modelError(
      `${what} came with operator set ${version}, '${graph}' has ${scope.opset}: export the model with ${version} or newer`,
    );
  };
  const first = firstOpset('', form.op);
  if (first !== undefined && first > scope.opset) needs(first);
  const change = older[form.op]?.find(({ before }) => scope.opset < before);
  if (change === undefined) return form;
  return change.write(scope, form) ?? needs(change.before, `${form.op} in this form`);
};
