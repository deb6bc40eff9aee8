import { GraphBuilder } from '../builder.ts';
import { dtypeCodes } from '../codec/dtypes.ts';
import { capturedBy, type Graph, type Value, value } from '../graph.ts';
import { asHalves } from '../halves.ts';
import { floatPiecesOf, type Tensor } from '../tensor.ts';
import { namesBeside } from './bodies.ts';

/** Smaller weights stay as they are: they are settings, biases and norms. */
const LEAST_BYTES = 1 << 12;
/** What rounds to infinity in float16. */
const TOO_LARGE = 65_520;

const isHeld = (tensor: Tensor): boolean => {
  if (tensor.dtype !== 'float32' || tensor.bytes.length < LEAST_BYTES) return false;
  for (const piece of floatPiecesOf(tensor)) {
    if (!piece.every((x) => Math.abs(x) < TOO_LARGE || !Number.isFinite(x))) return false;
  }
  return true;
};

/**
 * The graph with its large weights stored in float16: half the file, one rounding of each number. A Cast gives them back
 * as the floats that everything still computes in, once, as the file is loaded.
 */
export const storedAsHalves = (graph: Graph): Graph => {
  const bound = new Set([...graph.outputs, ...graph.nodes.flatMap(capturedBy)]);
  const stored = [...graph.weights].filter(([name, tensor]) => !bound.has(name) && isHeld(tensor));
  if (stored.length === 0) return graph;
  const fresh = namesBeside(graph);
  const own = new Map<Value, Value>(stored.map(([name]) => [name, fresh(`${name}/float16`)]));
  const weights = new Map(
    [...graph.weights].map(([name, tensor]) => {
      const half = own.get(name);
      return half === undefined ? ([name, tensor] as const) : ([half, asHalves(tensor)] as const);
    }),
  );
  const builder = GraphBuilder.like(graph, { weights });
  for (const [name, half] of own) builder.op('Cast', [half], { to: dtypeCodes.float32 }, value(name));
  for (const node of graph.nodes) builder.add(node, (name) => graph.types.get(name));
  return builder.freeze(graph.outputs);
};
