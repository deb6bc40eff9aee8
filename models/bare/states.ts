import { isFusedAttention } from '../../graph/attention.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import { findOp } from '../../graph/ops/index.ts';
import { isFloating } from '../../graph/sites/content.ts';
import { directReadings, type Reading, readingsOf } from './flow.ts';
import type { BareState } from './roles.ts';

/** Operators that keep what was remembered and add to it. */
const adding: ReadonlySet<string> = new Set(['Concat', 'ScatterElements', 'ScatterND']);
const extending: ReadonlySet<string> = new Set([...adding, 'Cast', 'Split', 'Transpose', 'Where']);

const extendsState = ({ node, position }: Reading): boolean => {
  if (isFusedAttention(node)) return true;
  if (node.domain !== '') return false;
  return extending.has(node.op) || (position === 0 && findOp('', node.op, 1000)?.view === true);
};

const rankOf = (graph: Graph, name: Value): number => graph.types.get(name)?.shape?.length ?? -1;

/** Inputs and outputs that can hold what is remembered, (batch, heads, positions, width), keys and values apart or as one. */
const isStateful = (graph: Graph, name: Value): boolean =>
  isFloating(graph.types.get(name)?.dtype) && [4, 5].includes(rankOf(graph, name));

/** Outputs that go on with an input, nearest first. */
const continuations = (graph: Graph, past: Value): readonly Value[] => {
  const outputs = new Set(graph.outputs);
  return readingsOf(graph, past, extendsState)
    .filter(extendsState)
    .flatMap(({ node }) => node.outputs.filter((output) => outputs.has(output)))
    .filter((output) => rankOf(graph, output) === rankOf(graph, past));
};

/** Numbers and words of a name that stand in the names of both sides of a state. */
const partsOf = (name: string): readonly string[] => name.toLowerCase().match(/\d+|[a-z]+/g) ?? [];

const likeness = (past: Value, present: Value): number => {
  const parts = new Set(partsOf(present));
  return partsOf(past).filter((part) => parts.has(part)).length;
};

/** A state as it is found: whether positions are added to it, or it is only looked at. */
export interface FoundState extends BareState {
  readonly grows: boolean;
}

/** Whether a state is made longer on the way: by what stands between it and any result. */
const isExtended = (graph: Graph, past: Value): boolean =>
  readingsOf(graph, past, (at) => extendsState(at) && !adding.has(at.node.op)).some(
    (at) => adding.has(at.node.op) || isFusedAttention(at.node),
  );

/** Numbers that are added to scores as they are: a mask of four axes. */
const isMask = (graph: Graph, name: Value): boolean =>
  directReadings(graph, name).some(({ node }) => node.op === 'Add');

/**
 * Inputs that are states, each with the output that goes on with it: the one that what goes in is written into. Names only
 * choose among several.
 */
export const statesOf = (graph: Graph, isImage: (name: Value) => boolean): readonly FoundState[] => {
  const pasts = graph.inputs.filter((name) => isStateful(graph, name) && !isImage(name) && !isMask(graph, name));
  const taken = new Set<Value>();
  return pasts.map((past) => {
    const open = continuations(graph, past).filter((output) => !taken.has(output));
    const [present] = open.toSorted((a, b) => likeness(past, b) - likeness(past, a));
    const grows = isExtended(graph, past);
    if (present === undefined) return { past, grows };
    taken.add(present);
    return { past, present, grows };
  });
};
