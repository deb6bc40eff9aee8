import { join } from 'node:path';
import { GraphBuilder } from '../../graph/builder.ts';
import { writeGraph } from '../../graph/codec/index.ts';
import type { Graph } from '../../graph/graph.ts';
import { tensorOf } from '../../graph/tensor.ts';
import type { Feeds } from './orders.ts';

/** Rows and columns: about a millisecond of float32 arithmetic on one core of a server, out of its second-level cache. */
const SIDE = 320;

/** Numbers that are never zero, subnormal or large, whatever is multiplied. */
const numbers = (): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: SIDE * SIDE }, (_, i) => ((i * 7) % 13) / 13 - 0.4);

const matMul = (): Graph => {
  const builder = new GraphBuilder('reference kernel');
  const x = builder.input('x', 'float32', [SIDE, SIDE]);
  const weight = builder.weight('weight', tensorOf('float32', [SIDE, SIDE], numbers()));
  return builder.freeze([builder.op('MatMul', [x, weight])]);
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
 * The reference kernel: one fixed MatMul that says how fast the machine is while the models are timed, so that another
 * day's latencies compare after division by it. Its name holds its size: another size is another kernel.
 */
export const writeKernel = async (folder: string): Promise<Fixed> => {
  const file = join(folder, 'kernel.onnx');
  await writeGraph(file, matMul());
  const feeds: Feeds = { x: { dtype: 'float32', dims: [SIDE, SIDE], data: numbers() } };
  return { name: `matmul-${SIDE}`, file, feeds };
};

/** A graph of one node: a process that runs it holds the runtime and nothing else. */
export const writeRuntimeAlone = async (folder: string): Promise<Fixed> => {
  const file = join(folder, 'one-node.onnx');
  await writeGraph(file, identity());
  return { name: 'the bare runtime', file, feeds: { x: { dtype: 'float32', dims: [1], data: Float32Array.of(1) } } };
};
