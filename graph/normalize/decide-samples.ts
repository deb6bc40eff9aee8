import { GraphBuilder } from '../builder.ts';
import { symbol } from '../dim.ts';
import { type Graph, type Node, type TensorType, type Value, value } from '../graph.ts';
import { tensorOf, vector } from '../tensor.ts';
import type { Pass } from './pass.ts';

const rows = (width: number): TensorType => ({ dtype: 'float32', shape: [symbol('batch'), width] });

const node = (op: string, inputs: readonly string[], output: string, attrs: Node['attrs'] = {}): Node => ({
  op,
  domain: '',
  name: output,
  inputs: inputs.map(value),
  outputs: [value(output)],
  attrs,
});

const body = (nodes: readonly Node[], outputs: readonly string[], weights: Graph['weights'] = new Map()): Graph => ({
  name: 'branch',
  nodes,
  inputs: [],
  outputs: outputs.map(value),
  weights,
  types: new Map(outputs.map((name) => [value(name), rows(3)])),
  opsets: { '': 20 },
});

const choice = (condition: string, then: Graph, otherwise: Graph, ...outputs: readonly string[]): Node => ({
  ...node('If', [condition], outputs[0] ?? '', {
    then_branch: { kind: 'graph', value: then },
    else_branch: { kind: 'graph', value: otherwise },
  }),
  outputs: outputs.map(value),
});

type Condition = (b: GraphBuilder, x: Value) => Value;

/** A graph in the middle of which are choices between two branches that call their values the same. */
const around = (then: Graph, otherwise: Graph, ...conditions: readonly Condition[]): Graph => {
  const builder = new GraphBuilder('choice');
  const x = builder.input('x', 'float32', [symbol('batch'), 3]);
  let sum = builder.op('Neg', [x], {}, 'h');
  conditions.forEach((condition, i) => {
    builder.add(choice(condition(builder, x), then, otherwise, `chosen.${i}`), () => rows(3));
    sum = builder.op('Add', [value(`chosen.${i}`), sum]);
  });
  return builder.freeze([builder.op('Abs', [sum], {}, 'y')]);
};

const weights = new Map([[value('w'), vector('float32', [1, 2, 3])]]);
const doubled = body([node('Exp', ['h'], 'inner'), node('Add', ['inner', 'inner'], 'out')], ['out']);
const weighted = body([node('Mul', ['x', 'w'], 'inner'), node('Abs', ['inner'], 'out')], ['out'], weights);
const passing = body([node('Identity', ['x'], 'out')], ['out']);
const nested = body(
  [node('Mul', ['h', 'w'], 'inner'), choice('yes', body([node('Exp', ['inner'], 'deep')], ['deep']), passing, 'out')],
  ['out'],
  new Map([...weights, [value('yes'), tensorOf('bool', [], Uint8Array.of(1))]]),
);

const known =
  (truth: number): Condition =>
  (b) =>
    b.constant(tensorOf('bool', [], Uint8Array.of(truth)));

const sized =
  (at: number, size: number): Condition =>
  (b, x) =>
    b.op('Equal', [b.op('Gather', [b.op('Shape', [x]), b.scalar('int64', at)], { axis: 0 }), b.scalar('int64', size)]);

/** Graphs with choices whose condition is known, and one whose condition is not. */
export const decideSamples: Pick<Pass, 'changes' | 'leaves'> = {
  changes: [
    { name: 'a constant that says yes', graph: () => around(doubled, weighted, known(1)) },
    { name: 'a constant that says no', graph: () => around(doubled, weighted, known(0)) },
    { name: 'twice, with the same names', graph: () => around(doubled, weighted, known(0), known(0), known(1)) },
    { name: 'a branch that copies what it reads', graph: () => around(weighted, passing, known(0)) },
    { name: 'a choice inside a choice', graph: () => around(nested, passing, known(1), known(1)) },
    { name: 'a size that is known', graph: () => around(weighted, doubled, sized(1, 3)) },
    { name: 'beside a choice that stays', graph: () => around(weighted, doubled, sized(1, 3), sized(0, 3)) },
  ],
  leaves: [{ name: 'a size that only the run knows', graph: () => around(weighted, doubled, sized(0, 3)) }],
};
