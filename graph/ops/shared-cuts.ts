import { productOf, type Shape } from '../dim.ts';
import type { TensorType, Value } from '../graph.ts';
import type { Call, Cut, CutEffect, CutRule, Refusal } from '../op.ts';

/** The cut rules of structural operators speak about ports: an input or output by position. */
export interface Port {
  readonly value: Value;
  readonly kind: 'input' | 'output';
  readonly position: number;
  readonly shape: Shape | undefined;
}

/** A refusal; whoever reports it names the node, so `why` is a predicate ("drops that axis"). */
export const refuse = (why: string): Refusal => ({ refused: why });

export const nothing: CutEffect = { cuts: [] };

/** A cut, or nothing where no index of the axis belongs to a unit. */
export const cutsOf = (value: Value, axis: number, owner: Int32Array): readonly Cut[] =>
  owner.every((unit) => unit < 0) ? [] : [{ value, axis, owner }];

/**
 * All ports of a node: inputs with their types, outputs with what `infer` says of them. The caller passes the output
 * types since a call holds only those of its inputs.
 */
const portsOf = (call: Call, outputs: readonly TensorType[]): readonly Port[] => [
  ...call.node.inputs.flatMap((value, position) =>
    value === null ? [] : [{ value, kind: 'input' as const, position, shape: call.inputs[position]?.shape }],
  ),
  ...call.node.outputs.map((value, position) => ({
    value,
    kind: 'output' as const,
    position,
    shape: outputs[position]?.shape,
  })),
];

/** A value may sit at several ports of one node (x * x): every one of them follows the cut. */
const portsOfCut = (ports: readonly Port[], cut: Cut): readonly Port[] =>
  ports.filter((port) => port.value === cut.value);

/** Joins the effects of several ports; the first refusal wins. */
const joinEffects = (effects: readonly (CutEffect | Refusal)[]): CutEffect | Refusal => {
  const cuts: Cut[] = [];
  const merges: (readonly [number, number])[] = [];
  for (const effect of effects) {
    if ('refused' in effect) return effect;
    cuts.push(...effect.cuts);
    merges.push(...(effect.merges ?? []));
  }
  return { cuts, merges };
};

/** A rule stated once a port: what a cut at this port implies elsewhere. */
export const ruleByPort =
  (
    infer: (call: Call) => readonly TensorType[],
    rule: (call: Call, port: Port, cut: Cut, ports: readonly Port[]) => CutEffect | Refusal,
  ): CutRule =>
  (call, cut) => {
    const ports = portsOf(call, infer(call));
    return joinEffects(portsOfCut(ports, cut).map((port) => rule(call, port, cut, ports)));
  };

const sizeIs = (shape: Shape | undefined, axis: number, size: number): boolean => shape?.[axis] === size;

/** Elementwise work with numpy broadcasting: aligned axes share owners; an axis of size one needs no cut. */
export const broadcastCut = (infer: (call: Call) => readonly TensorType[], positions?: readonly number[]): CutRule =>
  ruleByPort(infer, (_call, port, cut, ports) => {
    const taking = ports.filter(
      (p) => p.kind === 'output' || positions === undefined || positions.includes(p.position),
    );
    if (!taking.includes(port)) return refuse(`cannot lose parts of its input ${port.position}`);
    if (port.shape === undefined) return refuse(`has a value '${port.value}' of unknown shape`);
    const fromEnd = port.shape.length - cut.axis;
    const aligned = taking.map((p) => ({ ...p, axis: (p.shape?.length ?? 0) - fromEnd }));
    if (aligned.some((p) => p.shape === undefined)) return refuse('has values of unknown shape');
    const others = aligned.filter((p) => p.axis >= 0 && p.shape?.[p.axis] !== 1);
    if (cut.owner.length === 1 && others.length > 0) {
      return refuse(`broadcasts axis ${cut.axis} of '${cut.value}', whose only index cannot go`);
    }
    const odd = others.find((p) => !sizeIs(p.shape, p.axis, cut.owner.length));
    if (odd !== undefined && cut.owner.length > 1) {
      return refuse(`has a symbolic axis ${odd.axis} in '${odd.value}' where '${cut.value}' is cut`);
    }
    const same = cut.owner.length === 1 ? aligned.filter((p) => p.axis >= 0) : others;
    return { cuts: same.flatMap((p) => cutsOf(p.value, p.axis, cut.owner)) };
  });

/**
 * Input 0 and output 0 move axis by axis: `outputAxis` maps an input axis to the output axis that holds the same
 * indices, undefined where there is none (the reason is refused).
 */
export const axisCut = (
  infer: (call: Call) => readonly TensorType[],
  outputAxis: (call: Call, inputAxis: number, rank: number) => number | undefined,
  why: string,
): CutRule =>
  ruleByPort(infer, (call, port, cut, ports) => {
    const input = ports.find((p) => p.kind === 'input' && p.position === 0);
    const output = ports.find((p) => p.kind === 'output' && p.position === 0);
    const rank = input?.shape?.length;
    if (input === undefined || output === undefined || rank === undefined) return refuse('has an unknown shape');
    if (port.kind === 'input') {
      if (port.position !== 0) return refuse(`cannot lose parts of its input ${port.position}`);
      const axis = outputAxis(call, cut.axis, rank);
      return axis === undefined ? refuse(why) : { cuts: cutsOf(output.value, axis, cut.owner) };
    }
    for (let axis = 0; axis < rank; axis++) {
      if (outputAxis(call, axis, rank) === cut.axis) return { cuts: cutsOf(input.value, axis, cut.owner) };
    }
    return refuse(why);
  });

/** For operators whose result depends on positions or on data in a way that no cut survives. */
export const refuseCut =
  (why: string): CutRule =>
  () =>
    refuse(why);

interface Factors {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** Splits two shapes of equal element count into the smallest groups of consecutive axes with equal products. */
export const factorGroups = (from: Shape, to: Shape): readonly Factors[] => {
  const groups: { from: number[]; to: number[] }[] = [];
  let i = 0;
  let j = 0;
  while (i < from.length && j < to.length) {
    const [endI, endJ] = nextGroup(from, to, i, j);
    groups.push({ from: range(i, endI), to: range(j, endJ) });
    i = endI;
    j = endJ;
  }
  const last = groups.at(-1);
  if (last !== undefined) {
    last.from.push(...range(i, from.length));
    last.to.push(...range(j, to.length));
  }
  return groups;
};

const range = (start: number, end: number): number[] => Array.from({ length: end - start }, (_, i) => start + i);

/** The nearest pair of ends, in order of their sum, at which both sides hold equally many elements. */
const nextGroup = (from: Shape, to: Shape, i: number, j: number): [number, number] => {
  for (let total = 2; total <= from.length - i + to.length - j; total++) {
    for (let a = Math.max(1, total - (to.length - j)); a <= Math.min(total - 1, from.length - i); a++) {
      const b = total - a;
      if (productOf(from.slice(i, i + a)) === productOf(to.slice(j, j + b))) return [i + a, j + b];
    }
  }
  return [from.length, to.length];
};
