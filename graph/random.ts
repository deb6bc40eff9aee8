import type { Node, Value } from './graph.ts';
import { numbersOf, type Tensor } from './tensor.ts';

/** What ONNX lists as drawn anew in every run, whatever a `seed` says: it starts a session, not a run. */
const drawn: ReadonlySet<string> = new Set([
  'Bernoulli',
  'Multinomial',
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
]);

/** The input of Dropout that says whether it drops. */
const TRAINING_MODE = 2;

/** Whether an operator may draw random numbers: two such nodes are never one. */
export const mayDraw = ({ domain, op }: Pick<Node, 'domain' | 'op'>): boolean =>
  domain === '' && (op === 'Dropout' || drawn.has(op));

/** Whether a node draws random numbers as it is used, as far as `constant` knows its inputs. */
export const draws = (node: Node, constant: (input: Value) => Tensor | undefined): boolean => {
  if (!mayDraw(node)) return false;
  if (node.op !== 'Dropout') return true;
  const mode = node.inputs[TRAINING_MODE];
  if (mode == null) return false;
  const flag = constant(mode);
  return flag === undefined || numbersOf(flag)[0] !== 0;
};
