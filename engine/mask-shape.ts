import { concreteView, countedIn, inputSymbols } from '../graph/concrete.ts';
import { type Dim, type Shape, symbolsOf } from '../graph/dim.ts';
import type { Graph, Value } from '../graph/graph.ts';
import { isRefusal } from '../ground/errors.ts';

/** What the axes of a value count, read off views of the graph; undefined where they hang on more than what is fed. */
const countedShape = (graph: Graph): ((of: Value) => Shape | undefined) => {
  const view = concreteView(graph);
  const counted = countedIn(graph, view);
  return (of) => {
    const dims = view.types.get(of)?.shape?.map((_, axis) => counted(of, axis));
    return dims?.every((dim): dim is Dim => dim !== undefined) === true ? dims : undefined;
  };
};

/**
 * The shapes of masks, in what is fed: that of what is dropped, unless inference over symbols gave a size of it a name of its own,
 * as it does in graphs that compute their shapes on long ways.
 */
export const maskShapes = (graph: Graph): ((of: Value, shape: Shape | undefined) => Shape | undefined) => {
  const fed = new Set(inputSymbols(graph));
  let counted: ReturnType<typeof countedShape> | undefined;
  return (of, shape) => {
    if (shape?.every((dim) => symbolsOf(dim).every((name) => fed.has(name))) === true) return shape;
    try {
      counted ??= countedShape(graph);
      return counted(of) ?? shape;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return shape;
    }
  };
};
