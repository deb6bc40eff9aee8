import { stream } from '../../data/random.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { symbol } from '../../graph/dim.ts';
import type { Value } from '../../graph/graph.ts';
import { dtypeNumber } from '../../graph/ops/shared-structure.ts';
import type { Feeds } from './gradient-rig.ts';

type FloatType = 'float32' | 'float64';

const HIDDEN = 8;
const HEADS = 2;
const FFN = 12;
const CLASSES = 3;
const VOCABULARY = 11;
/** Fewer ids than positions, so that rows of the embedding are read more than once. */
const REPEATED_IDS = 5;
const LONGEST = 6;
const SMOOTHING = 0.1;

export interface EncoderLoss {
  readonly builder: GraphBuilder;
  readonly loss: Value;
  /** Every weight, as an input of the graph. */
  readonly weights: ReadonlyMap<Value, readonly number[]>;
}

/** A small encoder written out in operators: two layers, one post-norm with Gelu, one pre-norm with Relu. */
class Encoder {
  readonly builder = new GraphBuilder('encoder loss');
  readonly weights = new Map<Value, readonly number[]>();
  readonly #dtype: FloatType;

  constructor(dtype: FloatType) {
    this.#dtype = dtype;
  }

  loss(): Value {
    const b = this.builder;
    const [batch, sequence] = [symbol('batch'), symbol('sequence')];
    const ids = b.input('input_ids', 'int64', [batch, sequence]);
    const mask = b.input('attention_mask', 'int64', [batch, sequence]);
    const labels = b.input('labels', 'int64', [batch]);
    const kept = b.op('Cast', [mask], { to: dtypeNumber(this.#dtype) }); // (batch, sequence)
    let x = this.#embedding(ids);
    x = this.#norm('norm0', this.#plus(x, this.#attention('layer0', x, kept)));
    x = this.#norm('norm1', this.#plus(x, this.#feedForward('layer0', x, 'Gelu')));
    x = this.#plus(x, this.#attention('layer1', this.#norm('norm2', x), kept));
    x = this.#plus(x, this.#feedForward('layer1', this.#norm('norm3', x), 'Relu'));
    const logits = this.#linear('head', b.op('Tanh', [this.#pool(x, kept)]), HIDDEN, CLASSES);
    return this.#crossEntropy(logits, labels);
  }

  #weight(name: string, ...dims: readonly number[]): Value {
    const v = this.builder.input(name, this.#dtype, dims);
    this.weights.set(v, dims);
    return v;
  }

  #number(x: number): Value {
    return this.builder.scalar(this.#dtype, x);
  }

  #plus(x: Value, y: Value): Value {
    return this.builder.op('Add', [x, y]);
  }

  #linear(name: string, x: Value, from: number, to: number): Value {
    const product = this.builder.op('MatMul', [x, this.#weight(`${name}.weight`, from, to)]);
    return this.#plus(product, this.#weight(`${name}.bias`, to));
  }

  #norm(name: string, x: Value): Value {
    const [scale, shift] = [this.#weight(`${name}.scale`, HIDDEN), this.#weight(`${name}.shift`, HIDDEN)];
    return this.builder.op('LayerNormalization', [x, scale, shift], { axis: -1, epsilon: 1e-5 });
  }

  #embedding(ids: Value): Value {
    const b = this.builder;
    const words = b.op('Gather', [this.#weight('words', VOCABULARY, HIDDEN), ids]); // (batch, sequence, hidden)
    const length = b.op('Shape', [ids], { start: 1, end: 2 });
    const table = this.#weight('positions', LONGEST, HIDDEN);
    return this.#plus(words, b.op('Slice', [table, b.ints([0]), length, b.ints([0])]));
  }

  /** (batch, sequence, hidden) to (batch, heads, sequence, width) */
  #heads(x: Value): Value {
    const split = this.builder.op('Reshape', [x, this.builder.ints([0, 0, HEADS, HIDDEN / HEADS])]);
    return this.builder.op('Transpose', [split], { perm: [0, 2, 1, 3] });
  }

  #attention(name: string, x: Value, kept: Value): Value {
    const b = this.builder;
    const [q, k, v] = ['q', 'k', 'v'].map((role) => this.#heads(this.#linear(`${name}.${role}`, x, HIDDEN, HIDDEN)));
    const keys = b.op('Transpose', [k ?? x], { perm: [0, 1, 3, 2] });
    const scores = b.op('Div', [b.op('MatMul', [q ?? x, keys]), this.#number(Math.sqrt(HIDDEN / HEADS))]);
    const gone = b.op('Sub', [this.#number(1), b.op('Unsqueeze', [kept, b.ints([1, 2])])]);
    const masked = this.#plus(scores, b.op('Mul', [gone, this.#number(-1e4)]));
    const mixed = b.op('MatMul', [b.op('Softmax', [masked], { axis: -1 }), v ?? x]);
    const joined = b.op('Reshape', [b.op('Transpose', [mixed], { perm: [0, 2, 1, 3] }), b.ints([0, 0, HIDDEN])]);
    return this.#linear(`${name}.out`, joined, HIDDEN, HIDDEN);
  }

  #feedForward(name: string, x: Value, activation: string): Value {
    const inner = this.builder.op(activation, [this.#linear(`${name}.up`, x, HIDDEN, FFN)]);
    return this.#linear(`${name}.down`, inner, FFN, HIDDEN);
  }

  /** The mean over kept positions: (batch, hidden) */
  #pool(x: Value, kept: Value): Value {
    const b = this.builder;
    const weight = b.op('Unsqueeze', [kept, b.ints([2])]);
    const sum = b.op('ReduceSum', [b.op('Mul', [x, weight]), b.ints([1])], { keepdims: 0 });
    return b.op('Div', [sum, b.op('ReduceSum', [kept, b.ints([1])], { keepdims: 1 })]);
  }

  /** -mean over the batch of sum_c t_c log p_c, t smoothed one-hot labels. */
  #crossEntropy(logits: Value, labels: Value): Value {
    const b = this.builder;
    const columns = b.op('Unsqueeze', [labels, b.ints([1])]);
    const hit = b.op('Equal', [columns, b.ints(Array.from({ length: CLASSES }, (_, i) => i))]);
    const oneHot = b.op('Cast', [hit], { to: dtypeNumber(this.#dtype) });
    const target = this.#plus(b.op('Mul', [oneHot, this.#number(1 - SMOOTHING)]), this.#number(SMOOTHING / CLASSES));
    const entries = b.op('Mul', [target, b.op('LogSoftmax', [logits], { axis: -1 })]);
    const rows = b.op('ReduceSum', [entries, b.ints([1])], { keepdims: 0 });
    return b.op('Neg', [b.op('ReduceMean', [rows], { keepdims: 0 })]);
  }
}

export const encoderLoss = (dtype: FloatType): EncoderLoss => {
  const encoder = new Encoder(dtype);
  const loss = encoder.loss();
  return { builder: encoder.builder, loss, weights: encoder.weights };
};

/** Random weights and a batch with repeated ids; the last positions of every second row are padding. */
export const encoderFeeds = ({ weights }: EncoderLoss, dtype: FloatType, batch: number, sequence: number): Feeds => {
  const random = stream(3, 'encoder-batch', batch, sequence);
  const int64 = (count: number, make: (i: number) => number): BigInt64Array =>
    BigInt64Array.from({ length: count }, (_, i) => BigInt(make(i)));
  const padded = (i: number): boolean =>
    Math.floor(i / sequence) % 2 === 1 && i % sequence >= Math.max(1, sequence - 2);
  const dims = [batch, sequence];
  const count = batch * sequence;
  const feeds: Record<string, Feeds[string]> = {
    input_ids: { dtype: 'int64', dims, data: int64(count, () => random.integer(REPEATED_IDS)) },
    attention_mask: { dtype: 'int64', dims, data: int64(count, (i) => (padded(i) ? 0 : 1)) },
    labels: { dtype: 'int64', dims: [batch], data: int64(batch, () => random.integer(CLASSES)) },
  };
  for (const [name, shape] of weights) {
    const draw = stream(4, 'encoder-weight', name);
    const numbers = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 0.5 * draw.normal());
    const data = dtype === 'float64' ? Float64Array.from(numbers) : Float32Array.from(numbers);
    feeds[name] = { dtype, dims: shape, data };
  }
  return feeds;
};
