import type { onnx } from 'onnx-proto';
import type { HostileGraph } from './graphs.ts';
import {
  classes,
  classifier,
  FLOAT,
  fileOf,
  floats,
  INT64,
  node,
  type Parts,
  pooling,
  tokens,
  typed,
  withMiddle,
} from './proto.ts';

const whole = (change: Parts): Uint8Array =>
  fileOf({ nodes: [...pooling(), classifier()], weights: [classes], ...change });
const weighted = (weight: onnx.ITensorProto): Uint8Array =>
  withMiddle([node('Mul', ['pooled', 'w'], ['changed'])], { weights: [weight] });
const outside = (location: string, offset = '0', length = '4'): Uint8Array =>
  weighted({
    name: 'w',
    dims: [1],
    dataType: FLOAT,
    dataLocation: 1,
    externalData: [
      { key: 'location', value: location },
      { key: 'offset', value: offset },
      { key: 'length', value: length },
    ],
  });

/** Graphs whose values, weights, versions or roles are not what a graph's are. */
export const wirings: readonly HostileGraph[] = [
  {
    name: 'a cycle',
    bytes: () =>
      withMiddle([
        node('Add', ['pooled', 'b'], ['a']),
        node('Identity', ['a'], ['b']),
        node('Identity', ['b'], ['changed']),
      ]),
  },
  { name: 'a node that reads itself', bytes: () => withMiddle([node('Add', ['pooled', 'changed'], ['changed'])]) },
  { name: 'a value that nothing computes', bytes: () => withMiddle([node('Identity', ['nothing'], ['changed'])]) },
  {
    name: 'a value that is computed twice',
    bytes: () => withMiddle([node('Identity', ['pooled'], ['changed']), node('Relu', ['pooled'], ['changed'])]),
  },
  { name: 'no outputs', bytes: () => whole({ outputs: [] }) },
  { name: 'no inputs', bytes: () => whole({ inputs: [] }) },
  { name: 'no nodes', bytes: () => whole({ nodes: [] }) },
  { name: 'an output that is an input', bytes: () => whole({ nodes: [], outputs: [tokens('input_ids')] }) },
  { name: 'an output that is a weight', bytes: () => whole({ nodes: [], outputs: [typed('classes', FLOAT, [1, 3])] }) },
  { name: 'an output without a name', bytes: () => whole({ outputs: [typed('', FLOAT, ['batch', 3])] }) },
  { name: 'one weight twice', bytes: () => whole({ weights: [classes, classes] }) },
  { name: 'nothing', bytes: () => new Uint8Array() },
  { name: 'zeros', bytes: () => new Uint8Array(1000) },
  { name: 'ones', bytes: () => new Uint8Array(1000).fill(255) },
  { name: 'a text', bytes: () => Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n') },
  { name: 'an operator set 0', bytes: () => whole({ opsets: [['', 0]] }) },
  { name: 'an operator set of the far future', bytes: () => whole({ opsets: [['', 1_000_000]] }) },
  { name: 'an operator set below zero', bytes: () => whole({ opsets: [['', -5]] }) },
  { name: 'no operator set', bytes: () => whole({ opsets: [] }) },
  {
    name: 'two operator sets',
    bytes: () =>
      whole({
        opsets: [
          ['', 11],
          ['ai.onnx', 17],
        ],
      }),
  },
  { name: 'a format of the far future', bytes: () => whole({ ir: 1000 }) },
  ...['__proto__', 'constructor', 'toString'].flatMap((name) => [
    {
      name: `a domain ${name}`,
      bytes: () =>
        withMiddle([node('Gelu', ['pooled'], ['changed'], {}, name)], {
          opsets: [
            ['', 17],
            [name, 3],
          ],
        }),
    },
    { name: `an operator ${name}`, bytes: () => withMiddle([node(name, ['pooled'], ['changed'])]) },
    {
      name: `an attribute ${name}`,
      bytes: () => withMiddle([{ ...node('Relu', ['pooled'], ['changed']), attribute: [{ name, type: 2, i: 1 }] }]),
    },
    {
      name: `a value ${name}`,
      bytes: () => withMiddle([node('Relu', ['pooled'], [name]), node('Relu', [name], ['changed'])]),
    },
  ]),
  { name: 'an operator without a name', bytes: () => withMiddle([node('', ['pooled'], ['changed'])]) },
  {
    name: 'a weight of -1 rows',
    bytes: () => weighted({ name: 'w', dims: [-1], dataType: FLOAT, rawData: new Uint8Array(4) }),
  },
  {
    name: 'a weight beyond whole numbers',
    bytes: () => weighted({ name: 'w', dims: [2 ** 40, 2 ** 40], dataType: FLOAT, rawData: new Uint8Array(4) }),
  },
  {
    name: 'a weight of nothing by very much',
    bytes: () => weighted({ name: 'w', dims: [0, 2 ** 50], dataType: FLOAT, rawData: new Uint8Array() }),
  },
  { name: 'a weight of fewer bytes', bytes: () => weighted({ ...floats('w', [1]), dims: [1_000_000] }) },
  {
    name: 'a weight of texts',
    bytes: () => weighted({ name: 'w', dims: [1], dataType: 8, stringData: [Buffer.from('a')] }),
  },
  {
    name: 'a weight of a type that there is not',
    bytes: () => weighted({ name: 'w', dims: [1], dataType: 77, rawData: new Uint8Array(4) }),
  },
  { name: 'a weight outside of the folder', bytes: () => outside('../../etc/passwd') },
  { name: 'a weight in a device', bytes: () => outside('/dev/zero') },
  { name: 'a weight in a file that is not there', bytes: () => outside('weights.bin') },
  { name: 'a weight in its own folder', bytes: () => outside('.') },
  {
    name: 'a weight behind the end of a file',
    bytes: () => outside('weights.bin', '1000000000000'),
    beside: { 'weights.bin': new Uint8Array(4) },
  },
  { name: 'a weight in no place', bytes: () => outside('') },
  {
    name: 'inputs of floats',
    bytes: () =>
      whole({
        inputs: ['input_ids', 'attention_mask', 'token_type_ids'].map((name) =>
          typed(name, FLOAT, ['batch', 'sequence']),
        ),
      }),
  },
  {
    name: 'inputs of three axes',
    bytes: () =>
      whole({
        inputs: ['input_ids', 'attention_mask', 'token_type_ids'].map((name) => typed(name, INT64, ['a', 'b', 'c'])),
      }),
  },
  {
    name: 'inputs of one fixed length',
    bytes: () =>
      whole({ inputs: ['input_ids', 'attention_mask', 'token_type_ids'].map((name) => typed(name, INT64, [1, 7])) }),
  },
  {
    name: 'an input more',
    bytes: () =>
      withMiddle([node('Add', ['pooled', 'more'], ['changed'])], {
        inputs: [...['input_ids', 'attention_mask', 'token_type_ids'].map(tokens), typed('more', FLOAT, [1])],
      }),
  },
];
