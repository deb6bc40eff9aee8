import type { Node, Value } from './graph.ts';
import type { Call, OpDef } from './op.ts';

/** One node with its operator's record, where decant has one. */
export interface Recorded {
  readonly node: Node;
  readonly call: Call;
  readonly record: OpDef | undefined;
}

/** Values whose elements need not count, which gradients have to know: nothing times infinity is no number. */
export interface Masked {
  /** Elements of these may be passed over by what follows; no gradient arrives at those. */
  readonly passedOver: ReadonlySet<Value>;
  /** What these are read by, element by element, can be infinitely steep. */
  readonly steepBehind: ReadonlySet<Value>;
  /** These may be NaN where something that follows puts another number in its place. */
  readonly holed: ReadonlySet<Value>;
}

type IsFloat = (value: Value) => boolean;

const floatsOf = (values: readonly (Value | null)[], isFloat: IsFloat): readonly Value[] =>
  values.filter((value) => value !== null).filter(isFloat);

/** Backwards from the inputs that nodes start at, as far as each element stays by itself. */
const beforeThem = (
  nodes: readonly Recorded[],
  isFloat: IsFloat,
  startsOf: (recorded: Recorded) => readonly (Value | null)[],
): ReadonlySet<Value> => {
  const before = new Set<Value>();
  for (const recorded of nodes.toReversed()) {
    const { node, record } = recorded;
    for (const value of floatsOf(startsOf(recorded), isFloat)) before.add(value);
    if (record === undefined || record.mixes || !node.outputs.some((output) => before.has(output))) continue;
    for (const value of floatsOf(node.inputs, isFloat)) before.add(value);
  }
  return before;
};

const leftOut = ({ node, call, record }: Recorded): readonly (Value | null)[] =>
  record?.masks?.(call).map((position) => node.inputs[position] ?? null) ?? [];

const steep = ({ node, call, record }: Recorded): readonly (Value | null)[] =>
  record?.steep?.(call) === 'anywhere' ? node.inputs : [];

interface Holes {
  /** Values that may be NaN because a whole row was masked. */
  readonly open: ReadonlySet<Value>;
  /** Truth values that say where one of them is. */
  readonly found: ReadonlySet<Value>;
}

const holesIn = (nodes: readonly Recorded[], isFloat: IsFloat): Holes => {
  const open = new Set<Value>();
  const found = new Set<Value>();
  for (const { node, record } of nodes) {
    const reads = node.inputs.some((input) => input !== null && open.has(input));
    const asksItself = node.inputs.length === 2 && node.inputs[0] === node.inputs[1];
    const finds = reads && (record?.holes === 'finds' || asksItself);
    const told = finds || node.inputs.some((input) => input !== null && found.has(input));
    for (const output of node.outputs) {
      if (!isFloat(output)) {
        if (told) found.add(output);
      } else if (record?.holes === 'makes' || (reads && record?.holes !== 'fills')) open.add(output);
    }
  }
  return { open, found };
};

/** Backwards from what fills holes that were looked for, through everything that such a hole came through. */
const filledIn = (nodes: readonly Recorded[], { open, found }: Holes): ReadonlySet<Value> => {
  const filled = new Set<Value>();
  for (const { node, record } of nodes.toReversed()) {
    const fills = record?.holes === 'fills' && node.inputs.some((input) => input !== null && found.has(input));
    if (!fills && !node.outputs.some((output) => filled.has(output))) continue;
    for (const input of node.inputs) if (input !== null && open.has(input)) filled.add(input);
  }
  return filled;
};

/** What the nodes of a graph, in order, leave out and fill. */
export const maskedIn = (nodes: readonly Recorded[], isFloat: IsFloat): Masked => {
  const passedOver = beforeThem(nodes, isFloat, leftOut);
  const holes = holesIn(nodes, isFloat);
  const filled = filledIn(nodes, holes);
  const holed = new Set([...holes.open].filter((value) => passedOver.has(value) || filled.has(value)));
  return { passedOver, steepBehind: beforeThem(nodes, isFloat, steep), holed };
};
