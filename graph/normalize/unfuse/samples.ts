import { GraphBuilder } from '../../builder.ts';
import { attributesOf } from '../../call.ts';
import { type Dim, type Shape, symbol } from '../../dim.ts';
import { type Value, value } from '../../graph.ts';
import type { AttributeInput } from '../../op.ts';
import { elementCount, type Tensor, tensorOf } from '../../tensor.ts';
import type { PassSample } from '../pass.ts';

/** Sizes that runs choose. */
export const [batch, sequence] = [symbol('batch'), symbol('sequence')];

/** Inputs for samples: those that a sample does not read are not there. */
export interface SampleInputs {
  /** Streams of (batch, sequence, width). */
  readonly x: Value;
  readonly y: Value;
  readonly z: Value;
  /** (batch, sequence): ones, then zeros. */
  readonly mask: Value;
  /** (batch, sequence), below ten. */
  readonly ids: Value;
}

interface SampleOptions {
  readonly opset?: number;
  readonly width?: number;
  readonly length?: Dim;
  readonly texts?: Dim;
}

type Emission = (builder: GraphBuilder, inputs: SampleInputs) => readonly (Value | undefined)[];

/** A graph over a few inputs, of which only those stay that it reads. */
export const sampleOf = (name: string, emit: Emission, options: SampleOptions = {}): PassSample => ({
  name,
  graph: () => {
    const { opset = 20, width = 8, length = sequence, texts = batch } = options;
    const builder = new GraphBuilder(name, { '': opset, 'com.microsoft': 1 });
    const stream = (role: string): Value => builder.input(role, 'float32', [texts, length, width]);
    const [x, y, z] = [stream('x'), stream('y'), stream('z')];
    const mask = builder.input('attention_mask', 'int64', [texts, length]);
    const ids = builder.input('ids', 'int64', [texts, length]);
    const outputs = emit(builder, { x, y, z, mask, ids }).filter((output) => output !== undefined);
    return builder.freeze(outputs, { keepInputs: false });
  },
});

/** Numbers of both signs below one, others for every name and size. */
const tensor = (name: string, ...dims: readonly number[]): Tensor => {
  const phase = [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), elementCount(dims));
  const numbers = Array.from({ length: elementCount(dims) }, (_, i) => Math.sin(phase + 1.7 * i));
  return tensorOf('float32', dims, Float32Array.from(numbers));
};

export const weight = (builder: GraphBuilder, name: string, ...dims: readonly number[]): Value =>
  builder.weight(name, tensor(name, ...dims));

const numbered = (builder: GraphBuilder, op: string): string => {
  for (let i = 0; ; i++) if (!builder.hasType(value(`${op}_${i}`))) return `${op}_${i}`;
};

/** A fused node as a file has it: the types of its outputs, all floats but for what is said, are declared. */
export const fusedNode = (
  builder: GraphBuilder,
  op: string,
  inputs: readonly (Value | null | undefined)[],
  shapes: readonly (Shape | null)[],
  attrs: AttributeInput = {},
): readonly Value[] => {
  const [domain = '', kind = op] = op.includes(':') ? op.split(':') : ['', op];
  const name = numbered(builder, kind);
  const outputs = shapes.map((shape, i) => value(shape === null ? '' : i === 0 ? name : `${name}.${i}`));
  const types = new Map(
    outputs.map((output, i) => [output, { dtype: 'float32', shape: shapes[i] ?? undefined }] as const),
  );
  const given = inputs.map((input) => input ?? null);
  const last = given.findLastIndex((input) => input !== null);
  builder.add(
    { op: kind, domain, name, inputs: given.slice(0, last + 1), outputs, attrs: attributesOf(attrs) },
    (output) => types.get(output),
  );
  return outputs;
};

export const asInt32 = (builder: GraphBuilder, x: Value): Value => builder.op('Cast', [x], { to: 6 });
export const asFloat = (builder: GraphBuilder, x: Value): Value => builder.op('Cast', [x], { to: 1 });
