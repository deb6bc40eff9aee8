import onnxProto from 'onnx-proto';
import type { HostileGraph } from './graphs.ts';
import {
  body,
  classes,
  classifier,
  FLOAT,
  fileAround,
  fileOf,
  floats,
  graphOf,
  int,
  integers,
  ints,
  node,
  pooling,
  tensorAttribute,
  tokens,
  typed,
  withMiddle,
  wrapped,
} from './proto.ts';

const { GraphProto, NodeProto } = onnxProto.onnx;
const encoded = GraphProto.encode(graphOf({ nodes: [...pooling(), classifier()], weights: [classes] })).finish();

/** A node whose attribute is a graph whose node holds a graph ... */
const nested = (op: string, depth: number): Buffer => {
  let inner: Uint8Array = new Uint8Array();
  for (let level = 0; level < depth; level++) {
    const attribute = Buffer.concat([wrapped(1, Buffer.from('body')), Buffer.from([0xa0, 1, 5]), wrapped(6, inner)]);
    inner = wrapped(1, Buffer.concat([NodeProto.encode({ opType: op }).finish(), wrapped(5, attribute)]));
  }
  return fileAround(Buffer.concat([encoded, inner]));
};

/** The type of a value: sequences of sequences, or optional values of optional values. */
const nestedType = (field: number, depth: number): Buffer => {
  let inner: Uint8Array = new Uint8Array();
  for (let level = 0; level < depth; level++) inner = wrapped(field, wrapped(1, inner));
  return fileAround(
    Buffer.concat([encoded, wrapped(13, Buffer.concat([wrapped(1, Buffer.from('x')), wrapped(2, inner)]))]),
  );
};

const ones = (count: number): number[] => Array(count).fill(1);
const chain = (count: number) =>
  Array.from({ length: count }, (_, i) =>
    node('Identity', [i === 0 ? 'pooled' : `x${i - 1}`], [i === count - 1 ? 'changed' : `x${i}`]),
  );
const long = 'x'.repeat(1_000_000);

/** Files that ask for more of something than any model has. */
export const crowds: readonly HostileGraph[] = [
  ...[20, 1000, 5000].map((depth) => ({ name: `If ${depth} deep`, bytes: () => nested('If', depth) })),
  ...[1000].map((depth) => ({ name: `Loop ${depth} deep`, bytes: () => nested('Loop', depth) })),
  ...[1000, 5000].map((depth) => ({ name: `a type of sequences ${depth} deep`, bytes: () => nestedType(4, depth) })),
  { name: 'a type of optional values 1000 deep', bytes: () => nestedType(9, 1000) },
  ...[65, 1000, 1_000_000].map((axes) => ({
    name: `a weight of ${axes} axes`,
    bytes: () => withMiddle([node('Mul', ['pooled', 'w'], ['changed'])], { weights: [floats('w', ones(axes))] }),
  })),
  {
    name: 'a value of a million axes',
    bytes: () =>
      withMiddle([node('Identity', ['pooled'], ['changed'])], { types: [typed('changed', FLOAT, ones(1_000_000))] }),
  },
  {
    name: 'a constant of 100,000 axes',
    bytes: () =>
      withMiddle([
        node('Constant', [], ['c'], { value: tensorAttribute(floats('', ones(100_000))) }),
        node('Mul', ['pooled', 'c'], ['changed']),
      ]),
  },
  {
    name: 'a reshape to 10,000 axes',
    bytes: () =>
      withMiddle([node('Reshape', ['pooled', 's'], ['changed'])], { weights: [integers('s', ones(10_000))] }),
  },
  {
    name: 'a transpose of 100,000 axes',
    bytes: () =>
      withMiddle([
        node('Transpose', ['pooled'], ['changed'], { perm: ints(...Array.from({ length: 100_000 }, (_, i) => i)) }),
      ]),
  },
  {
    name: 'an unsqueeze of 5,000 axes',
    bytes: () =>
      withMiddle([node('Unsqueeze', ['pooled', 's'], ['changed'])], {
        weights: [
          integers(
            's',
            Array.from({ length: 5000 }, (_, i) => i),
          ),
        ],
      }),
  },
  { name: '60,000 nodes', bytes: () => withMiddle(chain(60_000)) },
  { name: '20,000 nodes in a row', bytes: () => withMiddle(chain(20_000)) },
  {
    name: 'a node of 50,000 inputs',
    bytes: () => withMiddle([node('Sum', Array(50_000).fill('pooled'), ['changed'])]),
  },
  {
    name: 'a node of 10,000 inputs',
    bytes: () => withMiddle([node('Sum', Array(10_000).fill('pooled'), ['changed'])]),
  },
  {
    name: 'a node of 100,000 outputs',
    bytes: () =>
      withMiddle([
        node('Split', ['pooled'], ['changed', ...Array.from({ length: 100_000 }, (_, i) => `o${i}`)], { axis: int(1) }),
      ]),
  },
  {
    name: '11,000 inputs',
    bytes: () =>
      fileOf({
        inputs: Array.from({ length: 11_000 }, (_, i) => tokens(`i${i}`)),
        nodes: [node('Identity', ['i7'], ['logits'])],
      }),
  },
  {
    name: '11,000 outputs',
    bytes: () =>
      fileOf({
        nodes: [...pooling(), classifier()],
        weights: [classes],
        outputs: Array(11_000).fill(typed('logits', FLOAT, ['batch', 3])),
      }),
  },
  {
    name: '210,000 described values',
    bytes: () =>
      withMiddle([node('Identity', ['pooled'], ['changed'])], {
        types: Array.from({ length: 210_000 }, (_, i) => ({ name: `v${i}` })),
      }),
  },
  {
    name: '51,000 weights of one number',
    bytes: () =>
      withMiddle([node('Identity', ['pooled'], ['changed'])], {
        weights: Array.from({ length: 51_000 }, (_, i) => floats(`w${i}`, [])),
      }),
  },
  {
    name: 'a node of 5,000 attributes',
    bytes: () =>
      withMiddle([
        node(
          'Identity',
          ['pooled'],
          ['changed'],
          Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`a${i}`, int(i)])),
        ),
      ]),
  },
  { name: 'an operator as long as a book', bytes: () => withMiddle([node(long, ['pooled'], ['changed'])]) },
  {
    name: 'a value as long as a book',
    bytes: () => withMiddle([node('Identity', ['pooled'], [long]), node('Identity', [long], ['changed'])]),
  },
  {
    name: 'a domain as long as a book',
    bytes: () =>
      withMiddle([node('Gelu', ['pooled'], ['changed'], {}, long)], {
        opsets: [
          ['', 17],
          [long, 1],
        ],
      }),
  },
  {
    name: 'a body that is a whole graph',
    bytes: () =>
      withMiddle([
        node('If', ['pooled'], ['changed'], { then_branch: body(graphOf({})), else_branch: body(graphOf({})) }),
      ]),
  },
];
