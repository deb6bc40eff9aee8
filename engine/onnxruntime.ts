import * as ort from 'onnxruntime-node';
import { encodeModel } from '../graph/codec/index.ts';
import type { Graph } from '../graph/graph.ts';
import type { CompileOptions, Engine, Program } from './engine.ts';
import { openBytes, type WeightFile } from './session.ts';

/** Version of ONNX Runtime that runs the graphs: it belongs to the environment of every cached result. */
export const runtimeVersion: string = ort.env.versions.node ?? ort.env.versions.common;

/** Shapes and scalars are needed while the graph is loaded: they stay inside. */
const LEAST_BESIDE = 1024;

/** The graph as bytes with its large weights beside it, in the memory that holds them already. */
const apart = (graph: Graph): { readonly bytes: Uint8Array; readonly files: readonly WeightFile[] } => {
  const files: WeightFile[] = [];
  const bytes = encodeModel(graph, (_, tensor) => {
    if (tensor.bytes.length < LEAST_BESIDE) return undefined;
    const path = `weight-${files.length}`;
    files.push({ path, data: tensor.bytes.read() });
    return { location: path, offset: 0, length: tensor.bytes.length };
  });
  return { bytes, files };
};

/** Runs graphs on the CPU through ONNX Runtime. Calls of one process run one after another. */
export const ortEngine: Engine = {
  name: 'onnxruntime',
  compile: async (graph: Graph, options: CompileOptions): Promise<Program> => {
    try {
      const { bytes, files } = apart(graph);
      return await openBytes(bytes, options, files);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`ONNX Runtime refused the graph '${graph.name}': ${reason}`, { cause: error });
    }
  },
};
