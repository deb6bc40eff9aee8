import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeGraph, weightBytes, writeGraph } from '../../../graph/codec/index.ts';
import type { Graph, TensorType, Value } from '../../../graph/graph.ts';
import { isRefusal, refusal, systemCode } from '../../../ground/errors.ts';
import { temporaryFolder } from '../../../ground/temporary.ts';
import type { CompileOptions, Program } from '../../engine.ts';
import type { Traffic } from '../traffic.ts';
import { explained } from './memory.ts';
import type { Provider } from './provider.ts';
import { openBytes, openFile, type WeightFile } from './session.ts';

/** Which provider runs a graph, and who counts what goes there and back. */
interface Where {
  readonly provider: Provider;
  readonly traffic: Traffic;
}

/** Shapes and scalars are needed while the graph is loaded: they stay inside. */
const LEAST_BESIDE = 1024;

/** The graph as bytes with its large weights beside it, in the memory that holds them already. */
const apart = (graph: Graph): { readonly bytes: Uint8Array; readonly files: readonly WeightFile[] } => {
  const files: WeightFile[] = [];
  const bytes = encodeGraph(graph, (_, tensor) => {
    if (tensor.bytes.length < LEAST_BESIDE) return undefined;
    const path = `weight-${files.length}`;
    files.push({ path, data: tensor.bytes.read() });
    return { location: path, offset: 0, length: tensor.bytes.length };
  });
  return { bytes, files };
};

/** A temporary folder that is full, missing or read-only is no reason to fail: memory does as well. */
const isFileProblem = (error: unknown): boolean =>
  ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'ENOENT'].includes(systemCode(error));

/** Above this, weights go through a file: smaller ones are copied faster than written. */
const LEAST_MAPPED = 8e6;

/**
 * The graph from a file with its weights beside it, written piece by piece: the runtime maps it into memory, where it would
 * copy what is given as bytes. Undefined where nothing can be written.
 */
const openMapped = async (graph: Graph, options: CompileOptions, where: Where): Promise<Program | undefined> => {
  let folder: string | undefined;
  try {
    folder = await temporaryFolder('graph');
    const file = join(folder, 'graph.onnx');
    await writeGraph(file, graph, { external: true });
    return await openFile(file, options, where.provider, where.traffic);
  } catch (error) {
    if (isFileProblem(error)) return undefined;
    throw error;
  } finally {
    // What is mapped stays readable. Where the system does not let go of such a file, it clears its temporary folder itself.
    if (folder !== undefined) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
};

const opened = async (graph: Graph, options: CompileOptions, where: Where): Promise<Program> => {
  // The runtime's own file refers to its weights by the file they came from, which is gone when it is read.
  const mapped = options.optimizedFile === undefined && weightBytes(graph) >= LEAST_MAPPED;
  const program = mapped ? await openMapped(graph, options, where) : undefined;
  if (program !== undefined) return program;
  const { bytes, files } = apart(graph);
  return openBytes(bytes, options, files, where.provider, where.traffic);
};

/** How ONNX files write a size that only the run knows. */
const UNKNOWN = -1;

/**
 * The graph without names of sizes. The runtime gives memory of a value to a later one of equal size as it reads these names, and
 * holds it from the one to the other: as much as all layers together take, for what is computed again a layer at a time.
 */
const withoutSizes = (graph: Graph): Graph => {
  const types = new Map<Value, TensorType>();
  for (const [name, { dtype, shape }] of graph.types)
    types.set(name, { dtype, shape: shape?.map((dim) => (typeof dim === 'number' ? dim : UNKNOWN)) });
  return { ...graph, types };
};

/** A graph as a program of ONNX Runtime. */
export const openGraph = async (graph: Graph, options: CompileOptions, where: Where): Promise<Program> => {
  try {
    return await opened(options.repeats === true ? withoutSizes(graph) : graph, options, where);
  } catch (error) {
    const lack = explained(error);
    if (lack !== error) throw lack;
    if (!isRefusal(error)) throw error;
    throw refusal(`ONNX Runtime refused the graph '${graph.name}': ${error.message}`, { cause: error });
  }
};
