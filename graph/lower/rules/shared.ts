import { GraphBuilder } from '../../builder.ts';
import { symbol } from '../../dim.ts';
import type { Node, Value } from '../../graph.ts';
import type { RuleSample } from '../../rewrite/rule.ts';

/** A graph of one input and what is emitted of it. */
export const sampleOf = (name: string, emit: (builder: GraphBuilder, x: Value) => Value, opset = 20): RuleSample => ({
  name,
  graph: () => {
    const builder = new GraphBuilder(name, { '': opset, 'com.microsoft': 1 });
    return builder.freeze([emit(builder, builder.input('x', 'float32', [symbol('batch'), 3, 4]))]);
  },
});

/** The inputs of a node, none of which is left out. */
export const inputsOf = ({ inputs }: Node): readonly Value[] => inputs.filter((input) => input !== null);

export const numberAttr = ({ attrs }: Node, name: string, fallback: number): number => {
  const attribute = attrs[name];
  return attribute?.kind === 'int' || attribute?.kind === 'float' ? attribute.value : fallback;
};
