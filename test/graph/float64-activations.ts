import type { GraphBuilder } from '../../graph/builder.ts';
import type { Node, Value } from '../../graph/graph.ts';

type Decomposition = (b: GraphBuilder, node: Node) => Value;

const input = (node: Node, position: number): Value => {
  const found = node.inputs[position];
  if (found == null) throw new TypeError(`${node.op} has no input ${position}`);
  return found;
};

const setting = (node: Node, name: string, fallback: number): number => {
  const attr = node.attrs[name];
  return attr?.kind === 'float' || attr?.kind === 'int' ? attr.value : fallback;
};

const times = (b: GraphBuilder, x: Value, number: number): Value => b.op('Mul', [x, b.scalar('float64', number)]);
const plus = (b: GraphBuilder, x: Value, number: number): Value => b.op('Add', [x, b.scalar('float64', number)]);

const kinked = (b: GraphBuilder, x: Value, right: Value, left: Value): Value =>
  b.op('Where', [b.op('Greater', [x, b.scalar('float64', 0)]), right, left]);

/** gamma x where x > 0, else gamma alpha (exp(x) - 1). */
const exponential =
  (alpha: number, gamma: number): Decomposition =>
  (b, node) => {
    const x = input(node, 0);
    const slope = setting(node, 'gamma', gamma);
    const curve = times(b, plus(b, b.op('Exp', [x]), -1), slope * setting(node, 'alpha', alpha));
    return kinked(b, x, times(b, x, slope), curve);
  };

/** Activation functions without a float64 kernel, in parts that have one. */
export const activations: Readonly<Record<string, Decomposition>> = {
  Elu: exponential(1, 1),
  Selu: exponential(1.6732631921768188, 1.0507010221481323),
  HardSwish: (b, node) => {
    const x = input(node, 0);
    const line = plus(b, times(b, x, 1 / 6), 0.5);
    return b.op('Mul', [x, b.op('Clip', [line, b.scalar('float64', 0), b.scalar('float64', 1)])]);
  },
  Mish: (b, node) => {
    const x = input(node, 0);
    return b.op('Mul', [x, b.op('Tanh', [b.op('Log', [plus(b, b.op('Exp', [x]), 1)])])]);
  },
  Softsign: (b, node) => {
    const x = input(node, 0);
    return b.op('Div', [x, plus(b, b.op('Abs', [x]), 1)]);
  },
  PRelu: (b, node) => {
    const x = input(node, 0);
    return kinked(b, x, x, b.op('Mul', [x, input(node, 1)]));
  },
};
