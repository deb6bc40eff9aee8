import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import onnxProto, { type onnx } from 'onnx-proto';
import {
  body,
  classes,
  classifier,
  FLOAT,
  fileOf,
  floats,
  graphOf,
  INT64,
  node,
  type Parts,
  pooling,
  tokens,
  typed,
  withMiddle,
  wrapped,
} from './proto.ts';

/** A file of the list of wrong input, what it is refused with, and what lies beside it. */
export interface WrongOnnx {
  readonly name: string;
  readonly bytes: () => Uint8Array;
  readonly message: RegExp;
  readonly beside?: Readonly<Record<string, Uint8Array>>;
}

const whole = (change: Parts): Uint8Array =>
  fileOf({ nodes: [...pooling(), classifier()], weights: [classes], ...change });

const weighted = (weight: onnx.ITensorProto): Uint8Array =>
  withMiddle([node('Mul', ['pooled', 'w'], ['changed'])], { weights: [weight] });

interface Place {
  readonly location: string;
  readonly offset?: string;
  readonly length?: string;
}

const placed = (name: string, { location, offset = '0', length = '4' }: Place): onnx.ITensorProto => ({
  ...{ name, dims: [1], dataType: FLOAT, dataLocation: 1 },
  externalData: Object.entries({ location, offset, length }).map(([key, value]) => ({ key, value })),
});

const outside = (place: Place) => (): Uint8Array => weighted(placed('w', place));
const beside = { 'weights.bin': new Uint8Array(8) };

const external: readonly WrongOnnx[] = [
  ...['../secret', '../../etc/passwd', 'below/../../secret', '/etc/passwd', '/dev/zero', 'C:\\secret'].map(
    (location) => ({
      name: `external data at ${location}`,
      bytes: outside({ location }),
      message: /outside the model's folder/,
    }),
  ),
  ...['%2e%2e%2fsecret', 'file:///etc/passwd', '..%5csecret', '..\u2215secret', 'weights.bin\u0000.txt'].map(
    (location) => ({
      name: `external data at ${JSON.stringify(location)}`,
      bytes: outside({ location }),
      message: /which does not exist|which cannot be opened/,
    }),
  ),
  {
    name: 'external data at a name as long as a page',
    bytes: outside({ location: 'x'.repeat(5000) }),
    message: /which cannot be opened \(ENAMETOOLONG\)/,
  },
  ...['.', ''].map((location) => ({
    name: `external data at '${location}'`,
    bytes: outside({ location }),
    message: /which is no file|outside the model's folder/,
  })),
  ...[
    ['an offset behind the end', { offset: '8' }],
    ['an offset of 2^62', { offset: '4611686018427387904' }],
    ['an offset below zero', { offset: '-4' }],
    ['an offset that is no number', { offset: '4x' }],
    ['another length', { length: '400' }],
    ['a length below zero', { length: '-4' }],
  ].map(([what, place]) => ({
    ...{ name: `external data with ${what}`, beside, bytes: outside({ location: 'weights.bin', ...Object(place) }) },
    message: /needs bytes 8 to 12 of|its external data says/,
  })),
  {
    name: 'external data of two weights that overlap',
    bytes: () =>
      withMiddle([node('Mul', ['pooled', 'w'], ['half']), node('Mul', ['half', 'v'], ['changed'])], {
        weights: [placed('w', { location: 'weights.bin' }), placed('v', { location: 'weights.bin', offset: '2' })],
      }),
    ...{ beside, message: /bytes 2 to 6 as float32 .+ the file is damaged/ },
  },
];

const sized = (dims: readonly number[]): Uint8Array =>
  weighted({ name: 'w', dims: [...dims], dataType: FLOAT, rawData: new Uint8Array(4) });

const dimensions: readonly WrongOnnx[] = [
  { name: 'a dimension below zero', bytes: () => sized([-1]), message: /impossible dimensions \[-1\]/ },
  { name: 'a dimension of zero', bytes: () => sized([0]), message: /of 0 bytes, but 4 are stored/ },
  { name: 'dimensions whose product overflows', bytes: () => sized([2 ** 40, 2 ** 40]), message: /but 4 are stored/ },
  {
    name: 'dimensions whose product is 1 in 64 bits',
    bytes: () => sized([2 ** 32, 2 ** 32, 1]),
    message: /but 4 are stored/,
  },
  { name: 'a dimension beyond whole numbers', bytes: () => sized([2 ** 62]), message: /impossible dimensions/ },
  {
    name: 'an input of a dimension below zero',
    bytes: () => whole({ inputs: [typed('attention_mask', INT64, ['batch', -5])] }),
    message: /a dimension of 'attention_mask' is -5/,
  },
  {
    name: 'an input of more elements than there are numbers',
    bytes: () => whole({ inputs: [typed('attention_mask', INT64, [2 ** 40, 2 ** 40])] }),
    message: /'attention_mask' is declared as \[1099511627776, 1099511627776\]/,
  },
  {
    name: 'fewer numbers than its dimensions say',
    bytes: () => weighted({ ...floats('w', [3]), dims: [1, 1000] }),
    message: /of 4000 bytes, but 12 are stored/,
  },
  {
    name: 'fewer numbers, in a list',
    bytes: () => weighted({ name: 'w', dims: [1, 3], dataType: FLOAT, floatData: [1, 2] }),
    message: /of 12 bytes, but 8 are stored/,
  },
];

/** A graph inside a graph, again and again. */
const deep = (levels: number): onnx.IGraphProto => {
  let inner = graphOf({ nodes: [node('Identity', ['pooled'], ['y'])], inputs: [], outputs: [typed('y', FLOAT, [1])] });
  for (let level = 0; level < levels; level++) {
    const both = { then_branch: body(inner), else_branch: body(inner) };
    inner = graphOf({ nodes: [node('If', ['yes'], ['y'], both)], inputs: [], outputs: [typed('y', FLOAT, [1])] });
  }
  return inner;
};

/** Branches twice as many a level would be 2^1000 of them: one side alone goes down. */
const nestedOnce = (levels: number): Uint8Array => {
  const { GraphProto, NodeProto, AttributeProto } = onnxProto.onnx;
  let graph: Uint8Array = GraphProto.encode(deep(0)).finish();
  for (let level = 0; level < levels; level++) {
    const attribute = Buffer.concat([
      AttributeProto.encode({ name: 'then_branch', type: 5 }).finish(),
      wrapped(6, graph),
    ]);
    const own = Buffer.concat([NodeProto.encode(node('If', ['yes'], ['y'])).finish(), wrapped(5, attribute)]);
    graph = Buffer.concat([
      wrapped(1, own),
      GraphProto.encode({ name: 'g', output: [typed('y', FLOAT, [1])] }).finish(),
    ]);
  }
  return Buffer.concat([fileOf({ nodes: pooling() }).subarray(0, 0), opened(17), wrapped(7, graph)]);
};

/** What stands before a graph: the format and the operator sets. */
const opened = (version: number): Uint8Array =>
  onnxProto.onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [
      { domain: '', version },
      { domain: 'own', version: 1 },
    ],
  }).finish();

/** A function of a file: f(x) = `calls`(x). */
const ownFunction = (name: string, calls: string): Uint8Array => {
  const { NodeProto, OperatorSetIdProto } = onnxProto.onnx;
  return wrapped(
    25,
    Buffer.concat([
      ...[wrapped(1, Buffer.from(name)), wrapped(4, Buffer.from('x')), wrapped(5, Buffer.from('y'))],
      wrapped(7, NodeProto.encode(node(calls, ['x'], ['y'], {}, 'own')).finish()),
      wrapped(9, OperatorSetIdProto.encode({ domain: 'own', version: 1 }).finish()),
      wrapped(10, Buffer.from('own')),
    ]),
  );
};

const calling = (functions: readonly Uint8Array[]): Uint8Array =>
  Buffer.concat([
    withMiddle([node('f', ['pooled'], ['changed'], {}, 'own')], {
      opsets: [
        ['', 17],
        ['own', 1],
      ],
    }),
    ...functions,
  ]);

const graphs: readonly WrongOnnx[] = [
  {
    name: 'one weight twice',
    bytes: () => whole({ weights: [classes, classes] }),
    message: /two weights are called 'classes'/,
  },
  {
    name: 'one value twice',
    bytes: () => whole({ nodes: [...pooling(), ...pooling(), classifier()] }),
    message: /'mask' is defined twice/,
  },
  {
    name: 'a value that nothing defines',
    bytes: () => withMiddle([node('Neg', ['nothing'], ['changed'])]),
    message: /reads 'nothing', which nothing defines/,
  },
  {
    name: 'an output that nothing computes',
    bytes: () => whole({ outputs: [typed('other', FLOAT, [1])] }),
    message: /the output 'other' is computed by no node/,
  },
  {
    name: 'an output without a name',
    bytes: () => whole({ outputs: [typed('', FLOAT, [1])] }),
    message: /the output '' is computed by no node/,
  },
  {
    name: 'a weight without a name',
    bytes: () => whole({ weights: [classes, { ...classes, name: '' }] }),
    message: /weight 1 has no name/,
  },
  {
    name: 'one input twice',
    bytes: () => whole({ inputs: [tokens('attention_mask'), tokens('attention_mask')] }),
    message: /two inputs are called 'attention_mask'/,
  },
  {
    name: 'one output twice',
    bytes: () => whole({ outputs: [typed('logits', FLOAT, ['batch', 3]), typed('logits', FLOAT, ['batch', 3])] }),
    message: /two outputs are called 'logits'/,
  },
  {
    name: 'an input without a name',
    bytes: () => whole({ inputs: [tokens('attention_mask'), tokens('')] }),
    message: /an input has no name/,
  },
  {
    name: 'an operator without a name',
    bytes: () => withMiddle([node('', ['pooled'], ['changed'])]),
    message: /node 'node of changed' \(\) names no operator/,
  },
  {
    name: 'a node whose result has no name',
    bytes: () => withMiddle([node('Neg', ['pooled'], ['']), node('Neg', ['pooled'], ['changed'])]),
    message: /gives no name to what it computes/,
  },
  {
    name: 'a cycle',
    bytes: () => withMiddle([node('Add', ['pooled', 'b'], ['changed']), node('Neg', ['changed'], ['b'])]),
    message: /cycle through/,
  },
  ...[5, 99].map((version) => ({
    name: `operator set ${version}`,
    bytes: () => whole({ opsets: [['', version]] }),
    message: /decant reads 7 to 25/,
  })),
  {
    name: 'bodies 1,000 deep',
    bytes: () => nestedOnce(1000),
    message: /more than 16 subgraphs or types inside each other/,
  },
  { name: 'a function that calls itself', bytes: () => calling([ownFunction('f', 'f')]), message: /function/ },
  {
    name: 'functions that call each other',
    bytes: () => calling([ownFunction('f', 'g'), ownFunction('g', 'f')]),
    message: /function/,
  },
  {
    name: 'functions 1,000 deep',
    bytes: () => calling(Array.from({ length: 1000 }, (_, i) => ownFunction(i === 0 ? 'f' : `f${i}`, `f${i + 1}`))),
    message: /function/,
  },
];

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

const bytes: readonly WrongOnnx[] = [
  { name: 'no bytes', bytes: () => new Uint8Array(), message: /the file is empty/ },
  { name: 'a picture', bytes: () => png, message: /no ONNX|cut short/ },
  { name: 'a number that never ends', bytes: () => new Uint8Array(100).fill(0xff), message: /is too long/ },
  {
    name: 'a number that never ends, in a graph',
    bytes: () => Buffer.concat([opened(17), wrapped(7, new Uint8Array(100).fill(0xff))]),
    message: /is too long/,
  },
  {
    name: 'a length of 2 GB',
    bytes: () => Buffer.concat([opened(17), Buffer.from([0x3a, 0xff, 0xff, 0xff, 0xff, 0x07, 0, 0])]),
    message: /cut short: a field ends at byte 214748\d+/,
  },
  {
    name: 'a length of 2^63',
    bytes: () => Buffer.concat([opened(17), Buffer.from([0x3a, ...Array<number>(8).fill(0xff), 0x7f, 0])]),
    message: /cut short/,
  },
];

/** Every file of issue 17's list that reading refuses by itself. */
export const wrongOnnx: readonly WrongOnnx[] = [...external, ...dimensions, ...graphs, ...bytes];

/** Files whose operators nobody knows: what can be told of them is told, and nothing else is done. */
export const strangers: readonly (WrongOnnx & { readonly operator: string })[] = [
  ['an unknown operator', '', 'Strange', "'Strange'"] as const,
  [
    "an unknown operator of the runtime's own domain",
    'com.microsoft',
    'Strange',
    "'Strange' of the domain 'com.microsoft'",
  ] as const,
  ['an unknown domain', 'elsewhere', 'Neg', "'Neg' of the domain 'elsewhere'"] as const,
].map(([name, domain, op, operator]) => ({
  name,
  operator: domain === '' ? op : `${domain}:${op}`,
  bytes: () =>
    withMiddle([node(op, ['pooled'], ['changed'], {}, domain)], {
      opsets:
        domain === ''
          ? [['', 17]]
          : [
              ['', 17],
              [domain, 1],
            ],
    }),
  message: new RegExp(
    `node 'node of changed' is an operator that neither decant nor ONNX Runtime knows, ${operator}: `,
  ),
}));

/** Files that can be read, and that answer nothing. */
export const hollow: readonly WrongOnnx[] = [
  {
    name: 'an input of no elements',
    bytes: () => whole({ inputs: [typed('attention_mask', INT64, ['batch', 0])] }),
    message: /input 'attention_mask' is declared as \[batch, 0\]: it holds nothing/,
  },
  {
    name: 'a matrix without rows',
    bytes: () => weighted({ name: 'w', dims: [0, 3], dataType: FLOAT, rawData: new Uint8Array() }),
    message: /weight 'w' is \[0, 3\]: it holds nothing/,
  },
];

/** A small file of another maker. */
export const goldenExport = (name: string): Buffer =>
  readFileSync(fileURLToPath(new URL(`../../golden/exports/${name}.onnx`, import.meta.url)));
