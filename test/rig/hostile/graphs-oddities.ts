import type { onnx } from 'onnx-proto';
import type { HostileGraph } from './graphs.ts';
import { classes, FLOAT, fileOf, floats, INT64, int, node, type Parts, pooling, typed, withMiddle } from './proto.ts';

const answering = (last: readonly onnx.INodeProto[], output: onnx.IValueInfoProto, more: Parts = {}): Uint8Array =>
  fileOf({ ...more, nodes: [...pooling(), ...last], weights: [classes, ...(more.weights ?? [])], outputs: [output] });

const named = (name: string): HostileGraph[] => [
  {
    name: `an operator called ${JSON.stringify(name)}`,
    bytes: () => withMiddle([node(name, ['pooled'], ['changed'])]),
  },
  {
    name: `a domain called ${JSON.stringify(name)}`,
    bytes: () =>
      withMiddle([node('Op', ['pooled'], ['changed'], {}, name)], {
        opsets: [
          ['', 17],
          [name, 1],
        ],
      }),
  },
];

/** Models that run, and say what no model should; and names that steer terminals. */
export const oddities: readonly HostileGraph[] = [
  {
    name: 'weights that are no numbers',
    bytes: () => withMiddle([node('Mul', ['pooled', 'w'], ['changed'])], { weights: [floats('w', [1], [Number.NaN])] }),
  },
  {
    name: 'weights without end',
    bytes: () =>
      withMiddle([node('Mul', ['pooled', 'w'], ['changed'])], {
        weights: [floats('w', [1], [Number.POSITIVE_INFINITY])],
      }),
  },
  {
    name: 'the logarithm of -1',
    bytes: () => withMiddle([node('Neg', ['pooled'], ['n']), node('Log', ['n'], ['changed'])]),
  },
  {
    name: 'a division by zero',
    bytes: () => withMiddle([node('Sub', ['pooled', 'pooled'], ['z']), node('Div', ['pooled', 'z'], ['changed'])]),
  },
  {
    name: 'answers beyond floats',
    bytes: () =>
      withMiddle([node('Mul', ['pooled', 'w'], ['x']), node('Mul', ['x', 'w'], ['changed'])], {
        weights: [floats('w', [1], [3e38])],
      }),
  },
  {
    name: 'answers that are whole numbers',
    bytes: () =>
      answering([node('Cast', ['pooled'], ['logits'], { to: int(INT64) })], typed('logits', INT64, ['batch', 3])),
  },
  {
    name: 'answers in double precision',
    bytes: () =>
      answering(
        [node('Mul', ['pooled', 'classes'], ['l']), node('Cast', ['l'], ['logits'], { to: int(11) })],
        typed('logits', 11, ['batch', 3]),
      ),
  },
  {
    name: 'answers of one axis',
    bytes: () =>
      answering([node('ReduceMax', ['pooled'], ['logits'], { keepdims: int(0) })], typed('logits', FLOAT, [])),
  },
  {
    name: 'answers of no columns',
    bytes: () =>
      answering([node('Mul', ['pooled', 'none'], ['logits'])], typed('logits', FLOAT, ['batch', 0]), {
        weights: [floats('none', [1, 0])],
      }),
  },
  {
    name: 'answers of five columns',
    bytes: () =>
      answering([node('Mul', ['pooled', 'five'], ['logits'])], typed('logits', FLOAT, ['batch', 5]), {
        weights: [floats('five', [1, 5])],
      }),
  },
  {
    name: 'a table of two rows',
    bytes: () =>
      withMiddle(
        [
          node('Gather', ['table', 'input_ids'], ['rows']),
          node('ReduceMax', ['rows'], ['peak'], { keepdims: int(0) }),
          node('Add', ['pooled', 'peak'], ['changed']),
        ],
        { weights: [floats('table', [2, 4])] },
      ),
  },
  ...['\u001b[31mred\u001b]8;;file:///etc\u0007', '\u009b2J', '\u202Eesrever', 'zero\u200bwidth', 'a\nb\rc'].flatMap(
    named,
  ),
];
