import { lower } from '../../../graph/lower/index.ts';
import type { Engine } from '../../engine.ts';
import { runtimeVersion } from '../cpu/engine.ts';
import { DeviceBuffer } from '../onnxruntime/device-buffer.ts';
import { LoweredProgram } from '../onnxruntime/lowered.ts';
import { Mover } from '../onnxruntime/mover.ts';
import { openGraph } from '../onnxruntime/open.ts';
import { Traffic } from '../traffic.ts';
import { lowering, onGpu } from './provider.ts';

const traffic = new Traffic();
const mover = new Mover(onGpu);

/** Runs graphs on a GPU through ONNX Runtime's provider for WebGPU. */
export const webgpuEngine: Engine = {
  target: { name: 'webgpu', facts: { onnxruntime: runtimeVersion }, optimizer: 'graph', lacking: () => [] },
  compile: async (graph, options) => {
    const lowered = lower(graph, lowering);
    const program = await openGraph(lowered.graph, options, { provider: onGpu, traffic });
    return new LoweredProgram(graph, lowered, program);
  },
  buffer: (data) => DeviceBuffer.of(data, { mover, traffic }),
  moved: () => traffic.moved,
};
