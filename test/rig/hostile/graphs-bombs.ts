import type { onnx } from 'onnx-proto';
import type { HostileGraph } from './graphs.ts';
import {
  body,
  FLOAT,
  float,
  floats,
  graphOf,
  INT64,
  int,
  integers,
  ints,
  node,
  tensorAttribute,
  typed,
  withMiddle,
} from './proto.ts';

/** What is large becomes one number again, so that the model would even answer. */
const shrunk = (large: string): onnx.INodeProto[] => [
  node('ReduceMax', [large], ['peak'], { keepdims: int(0) }),
  node('Add', ['pooled', 'peak'], ['changed']),
];

/** Sizes that only the run knows: the number of texts times a constant. */
const fromRun = (
  sizes: readonly number[],
): { readonly nodes: onnx.INodeProto[]; readonly weights: onnx.ITensorProto[] } => ({
  nodes: [
    node('Shape', ['input_ids'], ['dims']),
    node('Gather', ['dims', 'first'], ['texts']),
    node('Mul', ['sizes', 'texts'], ['shape']),
  ],
  weights: [integers('first', [0]), integers('sizes', sizes)],
});

type Make = (shape: string) => onnx.INodeProto[];

const makers: Readonly<
  Record<string, readonly [sizes: readonly number[], make: Make, weights?: readonly onnx.ITensorProto[]]>
> = {
  'ConstantOfShape of 4 TB': [
    [100_000, 100_000, 100],
    (shape) => [node('ConstantOfShape', [shape], ['large'], { value: tensorAttribute(floats('', [1], [1])) })],
  ],
  'ConstantOfShape of 100 GB': [
    [25_000, 1_000_000],
    (shape) => [node('ConstantOfShape', [shape], ['large'], { value: tensorAttribute(floats('', [1], [1])) })],
  ],
  'Expand to 100 GB': [
    [25_000, 1_000_000],
    (shape) => [node('Expand', ['one', shape], ['large'])],
    [floats('one', [1], [1])],
  ],
  'Expand to 8 GB': [
    [2000, 1_000_000],
    (shape) => [node('Expand', ['one', shape], ['large'])],
    [floats('one', [1], [1])],
  ],
  'Tile to 100 GB': [
    [25_000, 1_000_000],
    (shape) => [node('Tile', ['ones', shape], ['large'])],
    [floats('ones', [1, 1], [1])],
  ],
  'Range of a trillion': [
    [1e12],
    (shape) => [
      node('Squeeze', [shape], ['end']),
      node('Range', ['zero', 'end', 'step'], ['whole']),
      node('Cast', ['whole'], ['large'], { to: int(FLOAT) }),
    ],
    [integers('zero', [0], []), integers('step', [1], [])],
  ],
  'Range of ten billion': [
    [1e10],
    (shape) => [
      node('Squeeze', [shape], ['end']),
      node('Range', ['zero', 'end', 'step'], ['whole']),
      node('Cast', ['whole'], ['large'], { to: int(FLOAT) }),
    ],
    [integers('zero', [0], []), integers('step', [1], [])],
  ],
  'OneHot of ten billion': [
    [1e10],
    (shape) => [node('Squeeze', [shape], ['depth']), node('OneHot', ['input_ids', 'depth', 'pair'], ['large'])],
    [floats('pair', [2], [0, 1])],
  ],
  'Pad by ten billion': [[0, 0, 0, 1e10], (shape) => [node('Pad', ['pooled', shape], ['large'])]],
};

const graph = ([sizes, make, weights = []]: (typeof makers)[string], run: boolean): Uint8Array => {
  const found = run ? fromRun(sizes) : { nodes: [], weights: [integers('shape', sizes)] };
  return withMiddle([...found.nodes, ...make('shape'), ...shrunk('large')], {
    weights: [...found.weights, ...weights],
  });
};

const loopBody = graphOf({
  inputs: [typed('i', INT64, []), typed('on', 9, []), typed('before', FLOAT, ['batch', 1])],
  nodes: [node('Identity', ['on'], ['still']), node('Sin', ['before'], ['after'])],
  outputs: [typed('still', 9, []), typed('after', FLOAT, ['batch', 1])],
});
const yes = { name: 'yes', dims: [], dataType: 9, rawData: Uint8Array.of(1) };
const loop = (trips: string): onnx.INodeProto =>
  node('Loop', [trips, 'yes', 'pooled'], ['changed'], { body: body(loopBody) });

const scanBody = graphOf({
  inputs: [typed('before', FLOAT, ['batch', 1]), typed('round', FLOAT, [1])],
  nodes: [node('Sin', ['before'], ['after'])],
  outputs: [typed('after', FLOAT, ['batch', 1])],
});
const mapBody = graphOf({
  inputs: [typed('each', FLOAT, ['batch', 1])],
  nodes: [node('Sin', ['each'], ['made'])],
  outputs: [typed('made', FLOAT, ['batch', 1])],
});

const square = (times: number, size: number): onnx.INodeProto[] => [
  node('Expand', ['one', 'shape'], ['m0']),
  ...Array.from({ length: times }, (_, i) => node('MatMul', [`m${i}`, 'm0'], [`m${i + 1}`])),
  node('Mul', [`m${times}`, 'zero'], [size > 0 ? 'large' : '']),
  ...shrunk('large'),
];

/** Small files that ask for all memory, or for all time. */
export const bombs: readonly HostileGraph[] = [
  ...Object.entries(makers).flatMap(([name, maker]) => [
    { name, bytes: () => graph(maker, false) },
    { name: `${name}, by the number of texts`, bytes: () => graph(maker, true) },
  ]),
  {
    name: 'EyeLike of 40 GB',
    bytes: () =>
      withMiddle(
        [
          node('ConstantOfShape', ['shape'], ['wide']),
          node('EyeLike', ['wide'], ['large'], { dtype: int(FLOAT) }),
          ...shrunk('large'),
        ],
        { weights: [integers('shape', [100_000, 100_000])] },
      ),
  },
  { name: 'a Loop without end', bytes: () => withMiddle([loop('')], { weights: [yes] }) },
  {
    name: 'a Loop of 2^62 rounds',
    bytes: () => withMiddle([loop('trips')], { weights: [yes, integers('trips', [2 ** 62], [])] }),
  },
  {
    name: 'a Scan of 20 million rounds',
    bytes: () =>
      withMiddle(
        [
          node('ConstantOfShape', ['rounds'], ['many']),
          node('Scan', ['pooled', 'many'], ['changed'], { body: body(scanBody), num_scan_inputs: int(1) }),
        ],
        { weights: [integers('rounds', [20_000_000, 1])] },
      ),
  },
  {
    name: 'a SequenceMap',
    bytes: () =>
      withMiddle([
        node('SequenceConstruct', ['pooled', 'pooled'], ['list']),
        node('SequenceMap', ['list'], ['mapped'], { body: body(mapBody) }),
        node('ConcatFromSequence', ['mapped'], ['wide'], { axis: int(1) }),
        node('ReduceMax', ['wide'], ['changed'], { axes: ints(1) }),
      ]),
  },
  {
    name: 'a Loop without end inside an If',
    bytes: () =>
      withMiddle(
        [
          node('If', ['yes'], ['changed'], {
            then_branch: body(
              graphOf({ inputs: [], nodes: [loop('')], outputs: [typed('changed', FLOAT, ['batch', 1])] }),
            ),
            else_branch: body(
              graphOf({
                inputs: [],
                nodes: [node('Identity', ['pooled'], ['same'])],
                outputs: [typed('same', FLOAT, ['batch', 1])],
              }),
            ),
          }),
        ],
        { weights: [yes] },
      ),
  },
  {
    name: 'a Loop that grows what it carries',
    bytes: () =>
      withMiddle(
        [
          node('Loop', ['', 'yes', 'pooled'], ['grown'], {
            body: body(
              graphOf({
                inputs: [typed('i', INT64, []), typed('on', 9, []), typed('before', FLOAT, ['a', 'b'])],
                nodes: [
                  node('Identity', ['on'], ['still']),
                  node('Concat', ['before', 'before'], ['after'], { axis: int(1) }),
                ],
                outputs: [typed('still', 9, []), typed('after', FLOAT, ['a', 'c'])],
              }),
            ),
          }),
          ...shrunk('grown'),
        ],
        { weights: [yes] },
      ),
  },
  {
    name: 'products that take hours',
    bytes: () =>
      withMiddle(square(100, 4000), {
        weights: [floats('one', [1], [1e-5]), floats('zero', [1], [0]), integers('shape', [4000, 4000])],
      }),
  },
  {
    name: 'doubling sixty times',
    bytes: () =>
      withMiddle([
        ...Array.from({ length: 60 }, (_, i) =>
          node('Concat', [i === 0 ? 'pooled' : `d${i - 1}`, i === 0 ? 'pooled' : `d${i - 1}`], [`d${i}`], {
            axis: int(1),
          }),
        ),
        ...shrunk('d59'),
      ]),
  },
  {
    name: 'a resize to 100 GB',
    bytes: () =>
      withMiddle(
        [
          node('Unsqueeze', ['pooled', 'two'], ['image']),
          node('Resize', ['image', '', '', 'shape'], ['large'], { mode: { type: 3, s: Buffer.from('nearest') } }),
          ...shrunk('large'),
        ],
        {
          weights: [integers('two', [2, 3]), integers('shape', [1, 1, 25_000, 1_000_000])],
        },
      ),
  },
  {
    name: 'random numbers of 100 GB',
    bytes: () =>
      withMiddle([
        node('RandomUniform', [], ['large'], { shape: ints(25_000, 1_000_000), low: float(0) }),
        ...shrunk('large'),
      ]),
  },
];
