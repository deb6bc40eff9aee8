import type { Call, Use } from '../op.ts';

type Axial = Extract<Use, { readonly axis: number }>['kind'];

/** The last axis of an input along which it holds more than one number. */
const longAxis = (call: Call, input: number): number => {
  const shape = call.inputs[input]?.shape ?? [];
  const at = shape.findLastIndex((dim) => dim !== 1);
  return Math.max(0, at < 0 ? shape.length - 1 : at);
};

/** Inputs that one number an index of an axis stands in. */
export const along = (call: Call, kinds: Readonly<Record<number, Axial>>): readonly Use[] =>
  Object.entries(kinds).map(([input, kind]) => ({ input: Number(input), kind, axis: longAxis(call, Number(input)) }));

/** Every input in the same role. */
export const everyInput =
  (kind: Axial) =>
  (call: Call): readonly Use[] =>
    call.node.inputs.map((_, input) => ({ input, kind, axis: longAxis(call, input) }));

/** The first input in another shape, order or type. */
export const passed = (): readonly Use[] => [{ input: 0, kind: 'passed' }];

/** Rows of the first input are picked along an axis, which may be counted from the end. */
export const lookedUp = (call: Call, axis: number): readonly Use[] => {
  const rank = call.inputs[0]?.shape?.length ?? 0;
  return [{ input: 0, kind: 'lookup', axis: Math.max(0, axis < 0 ? axis + rank : axis) }];
};

/** Steps and zero points of integers. */
export const settings = (...inputs: readonly number[]): readonly Use[] =>
  inputs.map((input) => ({ input, kind: 'fixed' }));

/** Nothing of the first input is ever learned: it turns numbers into angles. */
export const neverLearned = (): readonly Use[] => [{ input: 0, kind: 'fixed' }];

/** The matrix at an input of a product: (.., inner, outer), or the other way round where it stands at the left or is turned. */
export const matrix = (call: Call, input: number, turned: boolean): Extract<Use, { readonly kind: 'linear' }> => {
  const rank = Math.max(2, call.inputs[input]?.shape?.length ?? 2);
  const [inner, outer] = turned ? [rank - 1, rank - 2] : [rank - 2, rank - 1];
  return { input, kind: 'linear', inner, outer };
};
