import * as ort from 'onnxruntime-node';
import { encodeGraph } from '../graph/codec/index.ts';
import type { Graph } from '../graph/graph.ts';
import type { CompileOptions, Engine, Program } from './engine.ts';
import { openBytes } from './session.ts';

/** Version of ONNX Runtime that runs the graphs: it belongs to the environment of every cached result. */
export const runtimeVersion: string = ort.env.versions.node ?? ort.env.versions.common;

/** Runs graphs on the CPU through ONNX Runtime. Calls of one process run one after another. */
export const ortEngine: Engine = {
  name: 'onnxruntime',
  compile: async (graph: Graph, options: CompileOptions): Promise<Program> => {
    try {
      return await openBytes(encodeGraph(graph), options);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`ONNX Runtime refused the graph '${graph.name}': ${reason}`, { cause: error });
    }
  },
};
