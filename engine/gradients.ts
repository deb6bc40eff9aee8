import type { Value } from '../graph/graph.ts';
import { elementCount } from '../graph/tensor.ts';
import type { HostTensor, Program } from './engine.ts';
import type { KernelMemory } from './kernels/memory.ts';
import type { StepParameter, TrainingStep } from './step.ts';

type Floats = HostTensor & { readonly data: Float32Array };

const tensorFor = (dims: readonly number[], floats: (length: number) => Float32Array): Floats => ({
  dtype: 'float32',
  dims,
  data: floats(elementCount(dims)),
});

/** Adds row gradients to the table rows that the ids name, in the order in which they were looked up. */
export const addRows = (table: Float32Array, width: number, ids: BigInt64Array, rows: Float32Array): void => {
  const words = new Int32Array(ids.buffer, ids.byteOffset, ids.length * 2);
  const height = table.length / width;
  for (let i = 0; i < ids.length; i++) {
    const id = words[2 * i] as number;
    const from = i * width;
    const to = (id < 0 ? id + height : id) * width;
    for (let j = 0; j < width; j++) table[to + j] = (table[to + j] as number) + (rows[from + j] as number);
  }
};

const addInto = (sum: Float32Array, x: Float32Array): void => {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (x[i] as number);
};

const float32 = (name: string, tensor: HostTensor | undefined): Float32Array => {
  if (tensor?.data instanceof Float32Array) return tensor.data;
  throw new Error(`the training step gave no float32 output '${name}'`);
};

const int64 = (name: string, tensor: HostTensor | undefined): BigInt64Array => {
  if (tensor?.data instanceof BigInt64Array) return tensor.data;
  throw new Error(`the training step gave no int64 value '${name}'`);
};

/** The output that is written into a parameter's array, if there is one. */
const denseOf = (gradient: StepParameter['gradient']): Value | undefined =>
  gradient.kind === 'dense' ? gradient.output : gradient.dense;

/**
 * Runs a training step and keeps the gradient of every parameter: dense ones are written straight into these arrays,
 * rows of embedding tables are summed here. Several runs add up until `reset`.
 */
export class GradientRunner {
  /** One array a parameter, in the step's order. */
  readonly gradients: readonly Float32Array[];
  readonly #step: TrainingStep;
  readonly #program: Program;
  readonly #into: Record<string, HostTensor> = {};
  /** Where further batches of one update write before they are added; made when first needed. */
  #scratch: Record<string, HostTensor> | undefined;
  /** Where rows of tables are written, as long as the longest batch so far: the runtime's own wait for the garbage collector. */
  readonly #rows = new Map<string, Float32Array>();
  /** Ids that were looked up in each table since its sum was last zero. */
  readonly #seen = new Map<Value, Set<number>>();
  #runs = 0;

  /** The gradients are made in `memory`. */
  constructor(step: TrainingStep, program: Program, memory: KernelMemory) {
    this.#step = step;
    this.#program = program;
    this.gradients = step.parameters.map(({ dims, gradient }) => {
      const tensor = tensorFor(dims, (length) => memory.floats(length));
      const output = denseOf(gradient);
      if (output !== undefined) this.#into[output] = tensor;
      return tensor.data;
    });
  }

  /** The next run starts a new sum. */
  reset(): void {
    this.#runs = 0;
  }

  /** Adds the gradients of one batch and returns its loss, all terms together and each alone; by another program of equal names. */
  async run(
    feeds: Readonly<Record<string, HostTensor>>,
    program: Program = this.#program,
  ): Promise<{ readonly loss: number; readonly terms: Readonly<Record<string, number>> }> {
    const first = this.#runs++ === 0;
    const dense = first ? this.#into : this.#further();
    const outputs = await program.run(feeds, { ...dense, ...this.#rowsFor(feeds) });
    this.#step.parameters.forEach((parameter, i) => {
      const sum = this.gradients[i];
      if (sum === undefined) return;
      const output = denseOf(parameter.gradient);
      if (output === undefined && first) this.#clear(parameter, sum);
      if (output !== undefined && !first) addInto(sum, float32(parameter.name, outputs[output]));
      this.#addLookups(parameter, sum, (name) => outputs[name] ?? feeds[name]);
    });
    const terms = Object.entries(this.#step.terms).map(([name, output]) => [
      name,
      float32(output, outputs[output])[0] ?? Number.NaN,
    ]);
    return { loss: float32('loss', outputs[this.#step.loss])[0] ?? Number.NaN, terms: Object.fromEntries(terms) };
  }

  #addLookups(
    { name, gradient, dims }: StepParameter,
    sum: Float32Array,
    tensorOf: (name: Value) => HostTensor | undefined,
  ): void {
    if (gradient.kind !== 'rows') return;
    const width = elementCount(dims.slice(1));
    const seen = this.#seen.get(name) ?? new Set();
    for (const lookup of gradient.lookups) {
      const ids = int64(lookup.ids, tensorOf(lookup.ids));
      addRows(sum, width, ids, float32(lookup.rows, tensorOf(lookup.rows)));
      if (gradient.dense === undefined) for (const id of ids) seen.add(Number(id));
    }
    this.#seen.set(name, seen);
  }

  /** Makes a sum of rows zero again: only rows that were looked up are not, and most of a table are not. */
  #clear({ name, dims }: StepParameter, sum: Float32Array): void {
    const width = elementCount(dims.slice(1));
    const seen = this.#seen.get(name) ?? new Set();
    for (const id of seen) {
      const from = (id < 0 ? id + sum.length / width : id) * width;
      sum.fill(0, from, from + width);
    }
    seen.clear();
  }

  /** Arrays for the rows that ids of this batch look up. Ids that the graph makes itself have no known number. */
  #rowsFor(feeds: Readonly<Record<string, HostTensor>>): Record<string, HostTensor> {
    const into: Record<string, HostTensor> = {};
    for (const { gradient, dims: table } of this.#step.parameters) {
      for (const { ids, rows } of gradient.kind === 'rows' ? gradient.lookups : []) {
        const { dims } = feeds[ids] ?? {};
        if (dims === undefined) continue;
        into[rows] = tensorFor([...dims, ...table.slice(1)], (length) => this.#room(rows, length));
      }
    }
    return into;
  }

  #room(name: string, length: number): Float32Array {
    const before = this.#rows.get(name);
    const room = before === undefined || before.length < length ? new Float32Array(length) : before;
    this.#rows.set(name, room);
    return room.subarray(0, length);
  }

  #further(): Record<string, HostTensor> {
    this.#scratch ??= Object.fromEntries(
      Object.entries(this.#into).map(([name, { dims }]) => [
        name,
        tensorFor(dims, (length) => new Float32Array(length)),
      ]),
    );
    return this.#scratch;
  }
}
