import type { Graph, Node } from '../../../graph/graph.ts';
import type { Kernel } from './kernel.ts';
import { kernels } from './kernels/index.ts';
import { storedAs } from './library.ts';

const keyOf = ({ domain, op }: Node): string => (domain === '' || domain === 'ai.onnx' ? op : `${domain}:${op}`);

/** The kernel of a node; names of operators are texts of a file: none is taken for what objects inherit. */
export const kernelOf = (node: Node): Kernel | undefined =>
  Object.hasOwn(kernels, keyOf(node)) ? kernels[keyOf(node)] : undefined;

/** Types of a node's values that the library has none for. */
const strangeTypes = (graph: Graph, { inputs, outputs }: Node): readonly string[] =>
  [...inputs, ...outputs].flatMap((name) => {
    const dtype = name === null ? undefined : graph.types.get(name)?.dtype;
    return dtype === undefined || storedAs(dtype) !== undefined ? [] : [dtype];
  });

/** Operators without a kernel, and those whose values have a type that the library lacks, once each. */
export const lackingIn = (graph: Graph): readonly string[] => [
  ...new Set(
    graph.nodes.flatMap((node) => {
      if (kernelOf(node) === undefined) return [keyOf(node)];
      return strangeTypes(graph, node).map((dtype) => `${keyOf(node)} of ${dtype}`);
    }),
  ),
];
