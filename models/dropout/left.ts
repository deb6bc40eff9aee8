import { type Graph, indexOf, type Node } from '../../graph/graph.ts';
import { numbersOf } from '../../graph/tensor.ts';

/** ONNX: a Dropout node without a ratio drops half. */
const USUAL_RATIO = 0.5;

/** The ratio of a Dropout node as files write it: as an attribute, an initializer or a Constant. */
const ratioAt = (graph: Graph, { inputs: [, ratio], attrs }: Node): number | undefined => {
  if (attrs.ratio?.kind === 'float') return attrs.ratio.value;
  if (ratio == null) return USUAL_RATIO;
  const written = indexOf(graph).producer.get(ratio)?.attrs.value;
  const tensor = graph.weights.get(ratio) ?? (written?.kind === 'tensor' ? written.value : undefined);
  return tensor === undefined ? undefined : numbersOf(tensor)[0];
};

/** The one ratio at which a file drops that was exported as it trains; undefined where it has none, or several. */
export const ratioLeftIn = (graph: Graph): number | undefined => {
  const own = graph.nodes.filter(({ op, domain }) => op === 'Dropout' && domain === '');
  const [ratio, ...others] = new Set(own.map((node) => ratioAt(graph, node)).filter((found) => found !== 0));
  return others.length === 0 ? ratio : undefined;
};
