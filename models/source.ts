import { type Graph, readsOf, type Value } from '../graph/graph.ts';
import { modelError } from '../ground/errors.ts';
import { expectInput, type Signature } from './signature.ts';

/** Every value that is computed of one of these, themselves included, but for what lies behind `stop`. */
const behind = (graph: Graph, from: readonly Value[], stop?: Value): ReadonlySet<Value> => {
  const found = new Set<Value>(from.filter((name) => name !== stop));
  for (const node of graph.nodes) {
    if (!readsOf(node).some((input) => found.has(input))) continue;
    for (const output of node.outputs) if (output !== stop) found.add(output);
  }
  return found;
};

/** What of a graph writes: everything that is computed of the answer so far. */
export const writingSide = ({ graph, signature }: { readonly graph: Graph; readonly signature: Signature }) =>
  behind(
    graph,
    signature.inputs.flatMap(({ role, name }) =>
      role === 'written' || role === 'queries' || role === 'keys' ? name : [],
    ),
  );

/**
 * What a source becomes: the last value, a row a position, through which all goes that the answer is told of the tokens of the
 * source. It is found by the ways of the graph, since fusion and rounding leave no names.
 */
export const sourceFeatures = (graph: Graph, signature: Signature): Value => {
  const tokens = expectInput(signature, 'tokens');
  const writing = writingSide({ graph, signature });
  const crossing = graph.nodes
    .filter(({ outputs }) => outputs.some((output) => writing.has(output)))
    .flatMap((node) => readsOf(node).filter((input) => !writing.has(input)));
  const goThrough = (name: Value): boolean => {
    const others = behind(graph, [tokens], name);
    return !crossing.some((one) => others.has(one));
  };
  const reached = behind(graph, [tokens]);
  const remembered = behind(
    graph,
    signature.states.map(({ past }) => past),
  );
  const candidates = graph.nodes
    .flatMap(({ outputs }) => outputs)
    .filter((name) => reached.has(name) && !writing.has(name) && !remembered.has(name) && isRows(graph, name));
  const found = candidates.findLast(goThrough);
  if (found !== undefined) return found;
  throw modelError('what the source becomes was not found: the answer looks at it in several ways');
};

/** (batch, length, a known width) of floats. */
const isRows = ({ types }: Graph, name: Value): boolean => {
  const { dtype, shape } = types.get(name) ?? {};
  return dtype === 'float32' && shape?.length === 3 && typeof shape[2] === 'number' && typeof shape[1] !== 'number';
};
