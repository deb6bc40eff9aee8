import type { Graph, Node, Value } from '../../../graph/graph.ts';
import { value } from '../../../graph/graph.ts';
import type { Tensor } from '../../../graph/tensor.ts';
import { recordedOf } from '../record.ts';
import type { Subject, Variant } from './variant.ts';

const idle = (name: string, input: Value, output: Value): Node => ({
  ...{ op: 'Identity', domain: '', name, attrs: {} },
  inputs: [input],
  outputs: [output],
});

/** Nodes that hand on a value one after another; at least one, which makes the output. */
const chainOf = (start: Value, output: Value, length: number): readonly Node[] =>
  Array.from({ length: Math.max(1, length) }, (_, i, all = Math.max(1, length)) => {
    const from = i === 0 ? start : value(`${start}_${i}`);
    return idle(`${start}_${i + 1}`, from, i + 1 === all ? output : value(`${start}_${i + 1}`));
  });

/** The model's inputs and outputs with `length` nodes between that do nothing. */
const idleGraph = ({ graph, recorded }: Subject, length: number): Graph => {
  const weights = new Map<Value, Tensor>();
  const nodes = graph.outputs.flatMap((output, i) => {
    const start = value(`idle_${i}`);
    weights.set(start, recordedOf(recorded, output));
    // Every output is made once; only the first gets the long way.
    return chainOf(start, output, i === 0 ? length - graph.outputs.length + 1 : 1);
  });
  return { ...graph, name: 'idle', nodes, weights };
};

/** What a run costs before any work is done. */
export const empty: Variant = { name: 'empty', make: (subject) => idleGraph(subject, 1) };

/** What as many nodes cost that do nothing. */
export const chain: Variant = { name: 'chain', make: (subject) => idleGraph(subject, subject.graph.nodes.length) };
