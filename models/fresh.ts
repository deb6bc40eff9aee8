import { type Graph, indexOf, type Value } from '../graph/graph.ts';
import type { Model } from './model.ts';
import { answerName, type State } from './signature.ts';

/** A state, and what a pass adds to it: (batch, sequence, heads * width). */
export interface FreshState extends State {
  readonly rows: Value;
}

/** A decoder that puts out what is new of its states, for whoever keeps the rest. */
export interface Fresh {
  readonly graph: Graph;
  readonly states: readonly FreshState[];
}

/** Where GroupQueryAttention reads what each of its states grows by. */
const rowsOf = (graph: Graph, { present }: State): Value | undefined => {
  const node = indexOf(graph).producer.get(present);
  if (node?.op !== 'GroupQueryAttention') return undefined;
  return node.inputs[node.outputs.indexOf(present)] ?? undefined;
};

/**
 * The same decoder with the keys and values of the tokens that it reads as outputs, in place of all that it has read: a session
 * copies every output, and takes inputs as they lie. Undefined where an attention is none whose past may lie in a longer array.
 */
export const withFreshStates = ({ graph, info }: Model): Fresh | undefined => {
  const states = info.signature.states.flatMap((state): FreshState[] => {
    const rows = rowsOf(graph, state);
    return rows === undefined ? [] : [{ ...state, rows }];
  });
  if (states.length === 0 || states.length !== info.signature.states.length) return undefined;
  const outputs = [answerName(info.signature), ...new Set(states.map(({ rows }) => rows))];
  return { graph: { ...graph, outputs }, states };
};
