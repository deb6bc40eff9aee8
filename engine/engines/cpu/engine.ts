import type { Engine, HostTensor } from '../../engine.ts';
import { HostBuffer } from '../onnxruntime/buffers.ts';
import * as ort from '../onnxruntime/native.ts';
import { openGraph } from '../onnxruntime/open.ts';
import { onHost } from '../onnxruntime/provider.ts';
import { Traffic } from '../traffic.ts';
import { lowered } from './lower/index.ts';

/** Version of ONNX Runtime that runs the graphs: it belongs to the environment of every cached result. */
export const runtimeVersion: string = ort.env.versions.node ?? ort.env.versions.common;

const traffic = new Traffic();

/** Runs graphs on the CPU through ONNX Runtime. Calls of one process run one after another. */
export const cpuEngine: Engine = {
  target: { name: 'cpu', facts: { onnxruntime: runtimeVersion }, optimizer: 'host', lacking: () => [] },
  compile: (graph, options) =>
    openGraph(options.training === true ? lowered(graph) : graph, options, { provider: onHost, traffic }),
  buffer: async (data: HostTensor) => new HostBuffer({ ...data, data: data.data.slice() }, traffic),
  moved: () => traffic.moved,
};
