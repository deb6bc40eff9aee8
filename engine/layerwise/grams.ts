import { GraphBuilder } from '../../graph/builder.ts';
import { symbol } from '../../graph/dim.ts';
import type { Value } from '../../graph/graph.ts';
import type { Encoded } from '../encoded.ts';
import type { Engine, Program } from '../engine.ts';
import { gathered, type Seen, type Watching } from '../observe/index.ts';

/** What products read: sums over all rows of all texts. */
export interface Gram {
  readonly width: number;
  readonly rows: number;
  /** Of products of two numbers of a row, width x width. */
  readonly products: Float64Array;
  /** Of each number. */
  readonly sums: Float64Array;
}

/** Rows that are multiplied at once: sums in float32 stay short. */
const ROWS = 1024;

/** Bytes that the sums of one value take, and its rows on their way into them. */
export const gramBytes = ({ width }: { readonly width: number }): number =>
  width * (Float64Array.BYTES_PER_ELEMENT * width + Float32Array.BYTES_PER_ELEMENT * ROWS);

/** x'x of rows x (rows, width). */
const gramProgram = (engine: Engine, threads: number): Promise<Program> => {
  const builder = new GraphBuilder('gram');
  const x = builder.input('x', 'float32', [symbol('rows'), symbol('width')]);
  const turned = builder.op('Transpose', [x], { perm: [1, 0] });
  const graph = builder.freeze([builder.op('MatMul', [turned, x], {}, 'gram')]);
  return engine.compile(graph, { threads, memory: 'pooled' });
};

/** Rows of one value on their way into its sums. */
class Sums {
  readonly #program: Program;
  readonly #waiting: Float32Array;
  readonly #gram: { width: number; rows: number; products: Float64Array; sums: Float64Array };
  #filled = 0;

  constructor(program: Program, width: number) {
    this.#program = program;
    this.#waiting = new Float32Array(ROWS * width);
    this.#gram = { width, rows: 0, products: new Float64Array(width * width), sums: new Float64Array(width) };
  }

  async add({ data, width, rows }: Seen): Promise<void> {
    for (let row = 0; row < rows; ) {
      const taken = Math.min(rows - row, ROWS - this.#filled);
      this.#waiting.set(data.subarray(row * width, (row + taken) * width), this.#filled * width);
      this.#filled += taken;
      row += taken;
      if (this.#filled === ROWS) await this.#flush();
    }
  }

  async done(): Promise<Gram> {
    await this.#flush();
    return this.#gram;
  }

  async #flush(): Promise<void> {
    const { width, products, sums } = this.#gram;
    if (this.#filled === 0) return;
    const data = this.#waiting.subarray(0, this.#filled * width);
    const { gram } = await this.#program.run({ x: { dtype: 'float32', dims: [this.#filled, width], data } });
    if (!(gram?.data instanceof Float32Array)) throw new Error('floats come back');
    for (let i = 0; i < products.length; i++) products[i] = (products[i] as number) + (gram.data[i] as number);
    for (let i = 0; i < data.length; i++) sums[i % width] = (sums[i % width] as number) + (data[i] as number);
    this.#gram.rows += this.#filled;
    this.#filled = 0;
  }
}

/** Products of what values are with themselves, over all texts. */
export const gramsOf = async (
  watching: Watching,
  values: readonly Value[],
  examples: readonly Encoded[],
  onText: (done: number, total: number) => void,
): Promise<ReadonlyMap<Value, Gram>> => {
  const program = await gramProgram(watching.engine, watching.threads);
  try {
    const sums = await gathered(watching, values, examples, {
      begin: ({ width }) => new Sums(program, width),
      add: (known, seen) => known.add(seen),
      onText,
    });
    const grams = new Map<Value, Gram>();
    for (const [value, own] of sums) grams.set(value, await own.done());
    return grams;
  } finally {
    await program.release();
  }
};

/** Of each number. */
export const meansOf = ({ sums, rows }: Gram): Float64Array => sums.map((sum) => sum / rows);

/** The same about the mean: what is left once a bias makes up for the mean error. */
export const centred = ({ width, rows, products, sums }: Gram): Float64Array => {
  const about = new Float64Array(products.length);
  for (let i = 0; i < width; i++) {
    const mean = (sums[i] as number) / rows;
    for (let j = 0; j < width; j++)
      about[i * width + j] = (products[i * width + j] as number) - mean * (sums[j] as number);
  }
  return about;
};
