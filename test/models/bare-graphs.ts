import { GraphBuilder } from '../../graph/builder.ts';
import { type Dim, symbol } from '../../graph/dim.ts';
import { type Graph, type Node, type Value, value } from '../../graph/graph.ts';
import { tensorOf } from '../../graph/tensor.ts';

/** Small graphs as exporters of decoders, encoder-decoders and models of sound write them: what of each the roles are told by. */

const WIDTH = 8;
const HEADS = 2;

const [batch, sequence, past, source] = [symbol('batch'), symbol('sequence'), symbol('past'), symbol('source')];

const weightOf = (builder: GraphBuilder, name: string, dims: readonly number[]): Value => {
  const count = dims.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length: count }, (_, i) => Math.sin(i + name.length) / 3);
  return builder.weight(name, tensorOf('float32', dims, data));
};

const linear = (builder: GraphBuilder, x: Value, name: string, to = WIDTH, from = WIDTH): Value =>
  builder.op('MatMul', [x, weightOf(builder, name, [from, to])]);

const heads = (builder: GraphBuilder, x: Value): Value =>
  builder.op('Transpose', [builder.op('Reshape', [x, builder.ints([0, -1, HEADS, WIDTH / HEADS])])], {
    perm: [0, 2, 1, 3],
  });

/** softmax(q k' + mask) v, of heads (batch, heads, positions, width). */
const attend = (builder: GraphBuilder, q: Value, k: Value, v: Value, mask?: Value): Value => {
  const scores = builder.op('MatMul', [q, builder.op('Transpose', [k], { perm: [0, 1, 3, 2] })]);
  const shares = builder.op('Softmax', [mask === undefined ? scores : builder.op('Add', [scores, mask])], { axis: -1 });
  const joined = builder.op('Transpose', [builder.op('MatMul', [shares, v])], { perm: [0, 2, 1, 3] });
  return builder.op('Reshape', [joined, builder.ints([0, -1, WIDTH])]);
};

/** A mask of whole numbers (batch, positions) as what is added to scores. */
const biasOf = (builder: GraphBuilder, mask: Value): Value => {
  const kept = builder.op('Cast', [builder.op('Unsqueeze', [mask, builder.ints([1, 2])])], { to: 1 });
  const lost = builder.op('Sub', [builder.scalar('float32', 1), kept]);
  return builder.op('Mul', [lost, builder.scalar('float32', -10000)]);
};

const embedded = (builder: GraphBuilder, ids: Value, rows = 30): Value =>
  builder.op('Gather', [weightOf(builder, 'words', [rows, WIDTH]), ids]);

const frozen = (builder: GraphBuilder, outputs: readonly Value[]): Graph => builder.freeze(outputs);

/** Keys and values of the positions before go in and out; positions become angles; the last logits alone can be asked for. */
export const decoder = (): Graph => {
  const builder = new GraphBuilder('decoder');
  const ids = builder.input('input_ids', 'int64', [batch, sequence]);
  const mask = builder.input('attention_mask', 'int64', [batch, symbol('total')]);
  const positions = builder.input('position_ids', 'int64', [batch, sequence]);
  const state = [batch, HEADS, past, WIDTH / HEADS];
  const [pastKey, pastValue] = [
    builder.input('past.key', 'float32', state),
    builder.input('past.value', 'float32', state),
  ];
  const last = builder.input('logits_to_keep', 'int64', []);
  const places = builder.op('Cast', [builder.op('Unsqueeze', [positions, builder.ints([2])])], { to: 1 });
  const angles = builder.op('Mul', [
    places,
    builder.constant(tensorOf('float32', [WIDTH], new Float32Array(WIDTH).fill(0.1))),
  ]);
  const x = builder.op('Mul', [embedded(builder, ids), builder.op('Cos', [angles])]);
  const key = builder.op('Concat', [pastKey, heads(builder, linear(builder, x, 'k'))], { axis: 2 }, 'present.key');
  const val = builder.op('Concat', [pastValue, heads(builder, linear(builder, x, 'v'))], { axis: 2 }, 'present.value');
  const y = attend(builder, heads(builder, linear(builder, x, 'q')), key, val, biasOf(builder, mask));
  const start = builder.op('Unsqueeze', [builder.op('Neg', [last]), builder.ints([0])]);
  const all = linear(builder, builder.op('Add', [x, y]), 'head', 30);
  const end = builder.ints([1000]);
  const logits = builder.op('Slice', [all, start, end, builder.ints([1])], {}, 'logits');
  return frozen(builder, [logits, key, val]);
};

/** Ids of a decoder, which looks at the states of an encoder; padding of the encoder's text is masked. */
export const crossDecoder = (): Graph => {
  const builder = new GraphBuilder('cross-decoder');
  const ids = builder.input('input_ids', 'int64', [batch, sequence]);
  const mask = builder.input('encoder_attention_mask', 'int64', [batch, source]);
  const states = builder.input('encoder_hidden_states', 'float32', [batch, source, symbol('width')]);
  const x = embedded(builder, ids);
  const [k, v] = [heads(builder, linear(builder, states, 'k')), heads(builder, linear(builder, states, 'v'))];
  const y = attend(builder, heads(builder, linear(builder, x, 'q')), k, v, biasOf(builder, mask));
  return frozen(builder, [linear(builder, builder.op('Add', [x, y]), 'head', 30)]);
};

/** Ids of two texts look up one table: the answer is about those of the decoder. */
export const encoderDecoder = (): Graph => {
  const builder = new GraphBuilder('encoder-decoder');
  const [first, second] = [
    builder.input('input_ids', 'int64', [batch, source]),
    builder.input('decoder_input_ids', 'int64', [batch, sequence]),
  ];
  const mask = builder.input('attention_mask', 'int64', [batch, source]);
  const words = weightOf(builder, 'words', [30, WIDTH]);
  const [states, x] = [builder.op('Gather', [words, first]), builder.op('Gather', [words, second])];
  const [k, v] = [heads(builder, linear(builder, states, 'k')), heads(builder, linear(builder, states, 'v'))];
  const y = attend(builder, heads(builder, linear(builder, x, 'q')), k, v, biasOf(builder, mask));
  return frozen(builder, [linear(builder, builder.op('Add', [x, y]), 'head', 30)]);
};

/** A mask of four axes that is added as it is, and one of truth values. */
export const masked = (): Graph => {
  const builder = new GraphBuilder('masked');
  const ids = builder.input('ids', 'int32', [batch, sequence]);
  const added = builder.input('bias', 'float32', [batch, 1, sequence, sequence]);
  const kept = builder.input('kept', 'bool', [batch, sequence]);
  const x = embedded(builder, ids);
  const z = builder.op('Where', [builder.op('Unsqueeze', [kept, builder.ints([2])]), x, builder.scalar('float32', 0)]);
  const project = (name: string): Value => heads(builder, linear(builder, z, name));
  const y = attend(builder, project('q'), project('k'), project('v'), added);
  return frozen(builder, [builder.op('Add', [z, y], {}, 'states')]);
};

/** Kernels over a sound, with rows for positions: its length is told by them. */
export const sound = (): Graph => {
  const builder = new GraphBuilder('sound');
  const features = builder.input('features', 'float32', [batch, symbol('mels'), symbol('frames')]);
  const kernels = weightOf(builder, 'kernels', [WIDTH, 5, 3]);
  const more = weightOf(builder, 'more', [WIDTH, WIDTH, 3]);
  const one = builder.op('Conv', [features, kernels], { pads: [1, 1], strides: [1] });
  const two = builder.op('Conv', [one, more], { pads: [1, 1], strides: [2] });
  const x = builder.op('Transpose', [two], { perm: [0, 2, 1] });
  const y = builder.op('Add', [x, weightOf(builder, 'positions', [6, WIDTH])]);
  return frozen(builder, [linear(builder, y, 'head')]);
};

/** Rows and lengths are numbers in the file. */
export const fixed = (rows: Dim = 1, length: Dim = 6): Graph => {
  const builder = new GraphBuilder('fixed');
  const ids = builder.input('a', 'int64', [rows, length]);
  const types = builder.input('b', 'int64', [rows, length]);
  const places = builder.input('c', 'int64', [rows, length]);
  const looked = (name: string, count: number, by: Value): Value =>
    builder.op('Gather', [weightOf(builder, name, [count, WIDTH]), by]);
  const x = builder.op('Add', [looked('w', 40, ids), looked('t', 2, types)]);
  return frozen(builder, [builder.op('Add', [x, looked('p', 20, places)])]);
};

/** Two ways that share the names of their values: which is taken says a truth value. */
export const merged = (): Graph => {
  const builder = new GraphBuilder('merged');
  const ids = builder.input('input_ids', 'int64', [batch, sequence]);
  const pastKey = builder.input('past.key', 'float32', [batch, HEADS, past, WIDTH / HEADS]);
  const flag = builder.input('use_cache_branch', 'bool', [1]);
  const x = embedded(builder, ids);
  const key = heads(builder, linear(builder, x, 'k'));
  const graph = builder.freeze([x, key]);
  const node = (op: string, inputs: readonly Value[], outputs: readonly string[], attrs: Node['attrs'] = {}): Node => ({
    ...{ op, domain: '', name: outputs.join(), inputs, outputs: outputs.map(value), attrs },
  });
  const bodyOf = (nodes: readonly Node[]): Graph => ({
    ...{ name: 'way', nodes, inputs: [], outputs: [value('inner.key')], weights: new Map(), types: new Map() },
    opsets: graph.opsets,
  });
  const axis = { axis: { kind: 'int', value: 2 } } as const;
  const ways = {
    then_branch: { kind: 'graph', value: bodyOf([node('Concat', [pastKey, key], ['inner.key'], axis)]) },
    else_branch: { kind: 'graph', value: bodyOf([node('Identity', [key], ['inner.key'])]) },
  } as const;
  const present = value('present.key');
  return {
    ...graph,
    inputs: [ids, pastKey, flag],
    nodes: [...graph.nodes, node('If', [flag], [present], ways)],
    outputs: [x, present],
    types: new Map([
      ...graph.types,
      [pastKey, { dtype: 'float32', shape: [batch, HEADS, past, WIDTH / HEADS] }],
      [flag, { dtype: 'bool', shape: [1] }],
      [present, { dtype: 'float32', shape: [batch, HEADS, symbol('total'), WIDTH / HEADS] }],
    ]),
  };
};
