import { attributesOf } from '../../call.ts';
import { type Graph, type Node, opsetOf, type Value, value } from '../../graph.ts';
import type { Tensor } from '../../tensor.ts';
import { namesBeside, retyped, throughout } from '../bodies.ts';
import type { Pass } from '../pass.ts';
import type { Scope } from './rule.ts';
import { lifts, unlifted } from './rules.ts';
import { liftSamples } from './samples.ts';

/** The operator set in which decant's own graphs are written, and the oldest that can be put into it. */
const [TARGET, OLDEST] = [20, 7];

/** A graph, and the bodies inside it one after the other, on the way up. */
class Lifting {
  readonly #opset: number;
  readonly #fresh: (wanted: string) => Value;

  constructor(graph: Graph) {
    this.#opset = opsetOf(graph.opsets, '');
    this.#fresh = namesBeside(graph);
  }

  lift(graph: Graph): Graph {
    const weights = new Map<Value, Tensor>(graph.weights);
    const nodes = graph.nodes.flatMap((node) => this.#lifted(graph, node, weights));
    return { ...graph, nodes, weights, opsets: { ...graph.opsets, '': TARGET } };
  }

  #lifted(graph: Graph, node: Node, weights: Map<Value, Tensor>): readonly Node[] {
    const before: Node[] = [];
    const name = node.name || `${node.outputs[0]}`;
    const scope: Scope = {
      type: (of) => graph.types.get(of),
      weight: (what, tensor) => {
        const weight = this.#fresh(`${name}/${what}`);
        weights.set(weight, tensor);
        return weight;
      },
      node: (op, inputs, attrs) => {
        const output = this.#fresh(`${name}/${op}`);
        before.push({ op, domain: '', name: output, inputs, outputs: [value(output)], attrs: attributesOf(attrs) });
        return output;
      },
    };
    const open = node.domain === '' && Object.hasOwn(lifts, node.op) ? (lifts[node.op] ?? []) : [];
    const newest = open.reduce(
      (old, { before: since, write }) => (this.#opset < since ? write(old, scope) : old),
      node,
    );
    return [...before, newest];
  }
}

const isBeyond = (graph: Graph): boolean => {
  const opset = opsetOf(graph.opsets, '');
  const isStuck = ({ domain, op }: Node): boolean =>
    domain === '' && Object.hasOwn(unlifted, op) && opset < (unlifted[op] ?? 0);
  let stuck = false;
  throughout(graph, (one) => {
    stuck ||= one.nodes.some(isStuck);
    return one;
  });
  return opset < OLDEST || opset >= TARGET || stuck;
};

/** A graph of an older operator set says the same in the words of that of decant's own graphs. */
export const lift: Pass = {
  name: 'lift',
  run: (graph) => {
    if (isBeyond(graph)) return graph;
    const lifting = new Lifting(graph);
    return retyped(throughout(graph, (one) => lifting.lift(one)));
  },
  ...liftSamples,
};
