import { join } from 'node:path';
import type { Feeds } from '../../engine/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { writeGraph } from '../../graph/codec/index.ts';
import type { Graph } from '../../graph/graph.ts';
import { type Tensor, tensorOf } from '../../graph/tensor.ts';

/** About a millisecond of float32 arithmetic on one core of a server, whose operands stay in its second-level cache. */
const [LAYERS, ROWS, SIDE] = [12, 256, 128];
/** The answer is small, as a model's is: a large one would be memory that the system hands out anew, at times of its own. */
const ANSWER = 8;

/** Numbers around zero, so that products of many stay far from the ends of the type. */
export const tensor = (rows: number, columns: number): Tensor =>
  tensorOf('float32', [rows, columns], numbers(rows * columns));
export const numbers = (length: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, i) => (((i * 7) % 13) - 6) / 13);

const matMuls = (): Graph => {
  const builder = new GraphBuilder('reference kernel');
  let x = builder.input('x', 'float32', [ROWS, SIDE]);
  for (let layer = 0; layer < LAYERS; layer++) {
    x = builder.op('MatMul', [x, builder.weight(`weight${layer}`, tensor(SIDE, SIDE))]); // (256, 128)
  }
  return builder.freeze([builder.op('MatMul', [x, builder.weight('last', tensor(SIDE, ANSWER))])]); // (256, 8)
};

const identity = (): Graph => {
  const builder = new GraphBuilder('one node');
  return builder.freeze([builder.op('Identity', [builder.input('x', 'float32', [1])])]);
};

export interface Fixed {
  readonly name: string;
  readonly file: string;
  readonly feeds: Feeds;
}

/**
 * The reference kernel: one fixed graph of MatMuls that says how fast the machine is while the models are timed, so that
 * another day's latencies compare after division by it. Its name holds its size: another size is another kernel.
 */
export const writeKernel = async (folder: string): Promise<Fixed> => {
  const file = join(folder, 'kernel.onnx');
  await writeGraph(file, matMuls());
  const feeds: Feeds = { x: { dtype: 'float32', dims: [ROWS, SIDE], data: numbers(ROWS * SIDE) } };
  return { name: `matmul-${LAYERS}x${ROWS}x${SIDE}`, file, feeds };
};

/** A graph of one node: a process that runs it holds the runtime and nothing else. */
export const writeRuntimeAlone = async (folder: string): Promise<Fixed> => {
  const file = join(folder, 'one-node.onnx');
  await writeGraph(file, identity());
  return { name: 'the bare runtime', file, feeds: { x: { dtype: 'float32', dims: [1], data: Float32Array.of(1) } } };
};
