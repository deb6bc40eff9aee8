import { GraphBuilder } from '../builder.ts';
import { attributesOf } from '../call.ts';
import { symbol } from '../dim.ts';
import { type Graph, type TensorType, type Value, value } from '../graph.ts';
import type { AttributeInput } from '../op.ts';
import type { Pass } from './pass.ts';

const typed = (...shape: readonly (number | 'batch')[]): TensorType => ({
  dtype: 'float32',
  shape: shape.map((dim) => (dim === 'batch' ? symbol(dim) : dim)),
});

/** Adds operators of sequences, whose values have no type of a tensor. */
class Writer {
  readonly builder: GraphBuilder;
  readonly x: Value;
  #count = 0;

  constructor(opset = 20, width = 6) {
    this.builder = new GraphBuilder('sequences', { '': opset });
    this.x = this.builder.input('x', 'float32', [symbol('batch'), width]);
  }

  add(op: string, inputs: readonly (Value | null)[], attrs: AttributeInput = {}, type?: TensorType): Value {
    const output = value(`${op}.${this.#count++}`);
    this.builder.add(
      { op, domain: '', name: output, inputs, outputs: [output], attrs: attributesOf(attrs) },
      () => type,
    );
    return output;
  }

  at(sequence: Value, place: number, type: TensorType): Value {
    return this.add('SequenceAt', [sequence, this.builder.scalar('int64', place)], {}, type);
  }

  numbers(...ints: readonly number[]): Value {
    return this.builder.ints(ints);
  }

  ends(last: Value, others: readonly Value[] = []): Graph {
    const { builder } = this;
    return builder.freeze([builder.op('Neg', [last], {}, 'y'), ...others]);
  }
}

/** The first part less the last of a tensor that is split. */
const inParts = (opset: number, split: (w: Writer) => Value, type: TensorType, last: number): Graph => {
  const w = new Writer(opset);
  const parts = w.add('SplitToSequence', [w.x, split(w)], { axis: -1 });
  return w.ends(w.builder.op('Sub', [w.at(parts, 0, type), w.at(parts, last, type)]));
};

const byIndex = (keepdims: number, type: TensorType, width = 6): Graph => {
  const w = new Writer(20, width);
  const parts = w.add('SplitToSequence', [w.x], { axis: 1, keepdims });
  return w.ends(w.builder.op('Add', [w.at(parts, 1, type), w.at(parts, -1, type)]));
};

/** Put together one after the other, one taken out again, counted and joined. */
const built = (attrs: AttributeInput, type: TensorType): Graph => {
  const w = new Writer();
  const { builder, x } = w;
  const one = w.add('SequenceInsert', [w.add('SequenceEmpty', [], { dtype: 1 }), x]);
  const two = w.add('SequenceInsert', [one, builder.op('Exp', [x]), builder.scalar('int64', -1)]);
  const three = w.add('SequenceInsert', [two, builder.op('Abs', [x])]);
  const left = w.add('SequenceErase', [w.add('Identity', [three]), builder.scalar('int64', 1)]);
  const count = w.add('SequenceLength', [left], {}, { dtype: 'int64', shape: [] });
  const joined = w.add('ConcatFromSequence', [left], attrs, type);
  return w.ends(joined, [builder.op('Identity', [count], {}, 'count')]);
};

const constructed = (place: (w: Writer) => Value): Graph => {
  const w = new Writer();
  const both = w.add('SequenceConstruct', [w.x, w.builder.op('Exp', [w.x])]);
  return w.ends(w.add('SequenceAt', [both, place(w)], {}, typed('batch', 6)));
};

/** Along an axis of an unknown length. */
const alongBatch = (): Graph => {
  const w = new Writer();
  const parts = w.add('SplitToSequence', [w.x, w.builder.scalar('int64', 1)], { axis: 0 });
  return w.ends(w.at(parts, 0, typed(1, 6)));
};

/** Graphs with sequences of known lengths, and with ones that only the run knows or refuses. */
export const sequenceSamples: Pick<Pass, 'changes' | 'leaves'> = {
  changes: [
    { name: 'parts of one size', graph: () => inParts(20, (w) => w.builder.scalar('int64', 2), typed('batch', 2), 2) },
    {
      name: 'parts, the last of which is smaller',
      graph: () => inParts(20, (w) => w.builder.scalar('int64', 5), typed('batch', 1), 1),
    },
    { name: 'parts of named sizes', graph: () => inParts(20, (w) => w.numbers(2, 1, 1, 2), typed('batch', 2), 3) },
    { name: 'parts in an old operator set', graph: () => inParts(11, (w) => w.numbers(3, 3), typed('batch', 3), 1) },
    { name: 'index by index, with the axis', graph: () => byIndex(1, typed('batch', 1)) },
    { name: 'index by index, without the axis', graph: () => byIndex(0, typed('batch')) },
    { name: 'what is put together, joined', graph: () => built({ axis: 1 }, typed('batch', 12)) },
    { name: 'what is put together, stacked', graph: () => built({ axis: -1, new_axis: 1 }, typed('batch', 6, 2)) },
    { name: 'the second of two', graph: () => constructed((w) => w.builder.scalar('int64', 1)) },
  ],
  leaves: [
    { name: 'parts of an axis of any length', graph: alongBatch },
    { name: 'a place beyond the end', graph: () => constructed((w) => w.builder.scalar('int64', 2)) },
    {
      name: 'a place that only the run knows',
      graph: () =>
        constructed((w) =>
          w.builder.op('ArgMax', [w.builder.op('Reshape', [w.x, w.numbers(-1)])], { axis: 0, keepdims: 0 }),
        ),
    },
    { name: 'parts that do not add up', graph: () => inParts(20, (w) => w.numbers(2, 2), typed('batch', 2), 1) },
    { name: 'more parts than anyone wants', graph: () => byIndex(0, typed('batch'), 1 << 20) },
    { name: 'parts of nothing', graph: () => inParts(20, (w) => w.builder.scalar('int64', 0), typed('batch', 2), 1) },
  ],
};
