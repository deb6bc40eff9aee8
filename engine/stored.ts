import { GraphBuilder } from '../graph/builder.ts';
import { type Value, value } from '../graph/graph.ts';
import { emitFakeWeight, type FakeWeight, roundedOf } from '../graph/quantize/fake/weight.ts';
import type { Rounded } from '../graph/quantize/grid.ts';
import { type Tensor, tensorOf } from '../graph/tensor.ts';
import type { Model } from '../models/model.ts';
import { cpuEngine } from './engines/cpu/engine.ts';
import type { Faked } from './faked.ts';
import { hostTensorOf } from './host.ts';

/** A model with its weights as training saw them, and the whole numbers behind those in blocks. */
export interface Stored {
  readonly model: Model;
  readonly rounded: ReadonlyMap<Value, Rounded>;
}

interface One {
  readonly tensor: Tensor;
  readonly rounded?: Rounded;
}

const floats = (data: unknown): Float32Array => {
  if (data instanceof Float32Array) return data;
  throw new Error('fake quantization gives float32');
};

/** One weight through the very nodes that training read it by. */
const storedWeight = async ({ graph }: Model, name: Value, weight: FakeWeight, threads: number): Promise<One> => {
  const tensor = graph.weights.get(name);
  if (tensor === undefined) throw new Error(`'${name}' is no weight`);
  const builder = new GraphBuilder('stored', graph.opsets);
  builder.input(name, 'float32', tensor.dims);
  const fake = emitFakeWeight({ emit: builder, rules: new Map() }, name, tensor.dims, weight);
  const named = (own: Value, as: string): Value => builder.op('Identity', [own], {}, value(as));
  const outputs = [named(fake.value, 'out/value'), named(fake.codes, 'out/codes'), named(fake.scales, 'out/scales')];
  if (fake.zeros !== undefined) outputs.push(named(fake.zeros, 'out/zeros'));
  const program = await cpuEngine.compile(builder.freeze(outputs, { keepInputs: false }), {
    threads,
    memory: 'pooled',
  });
  try {
    const found = await program.run({ [name]: hostTensorOf(tensor) });
    const seen = tensorOf('float32', tensor.dims, Float32Array.from(floats(found['out/value']?.data)));
    if (weight.form !== 'blocks') return { tensor: seen };
    const [codes, scales, zeros] = ['codes', 'scales', 'zeros'].map((part) => floats(found[`out/${part}`]?.data));
    if (codes === undefined || scales === undefined || zeros === undefined) throw new Error('blocks have zero points');
    return { tensor: seen, rounded: roundedOf(tensor.dims, weight, { codes, scales, zeros }) };
  } finally {
    await program.release();
  }
};

/** What training leaves, as it saw its weights in the end: nothing is left to round. */
export const storedBy = async (model: Model, faked: Faked, threads: number): Promise<Stored> => {
  const weights = new Map(model.graph.weights);
  const rounded = new Map<Value, Rounded>();
  for (const [name, weight] of faked) {
    const one = await storedWeight(model, name, weight, threads);
    weights.set(name, one.tensor);
    if (one.rounded !== undefined) rounded.set(name, one.rounded);
  }
  return { model: { ...model, graph: { ...model.graph, weights } }, rounded };
};
