import type { Engine, HostTensor } from '../../engine.ts';
import { runtimeVersion } from '../cpu/engine.ts';
import type { Device } from '../kind.ts';
import { HostBuffer } from '../onnxruntime/buffers.ts';
import { openGraph } from '../onnxruntime/open.ts';
import { Traffic } from '../traffic.ts';
import { onCuda } from './provider.ts';

const traffic = new Traffic();

/**
 * Runs graphs on an NVIDIA device through ONNX Runtime's CUDA provider; nodes without a kernel there run on the CPU. Since
 * nothing stays on the device, weights are moved by the host, where they are anyway.
 */
export const cudaOn = ({ memory }: Pick<Device, 'memory'>): Engine => ({
  target: {
    ...{ name: 'cuda', facts: { onnxruntime: runtimeVersion }, optimizer: 'host', lacking: () => [], fallsBack: true },
    ownMemory: memory === undefined ? {} : { bytes: memory },
    // Its products in float16 add up in float32.
    float16: { longestSum: Number.POSITIVE_INFINITY },
  },
  compile: (graph, options) => openGraph(graph, options, { provider: onCuda, traffic }),
  buffer: async (data: HostTensor) => new HostBuffer({ ...data, data: data.data.slice() }, traffic),
  moved: () => traffic.moved,
});
