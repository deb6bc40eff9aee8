import type { Engine } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { HostBuffer } from '../../engine/engines/onnxruntime/buffers.ts';
import { openGraph } from '../../engine/engines/onnxruntime/open.ts';
import { onHost } from '../../engine/engines/onnxruntime/provider.ts';
import { Traffic } from '../../engine/engines/traffic.ts';

/** ONNX Runtime's CPU as a device with a border of its own: weights stay in buffers, and the graph of a step moves them. */
const deviceOf = (traffic = new Traffic()): Engine => ({
  ...cpuEngine,
  target: { ...cpuEngine.target, name: 'device', optimizer: 'graph' },
  compile: (graph, options) => openGraph(graph, options, { provider: onHost, traffic }),
  buffer: async (tensor) => new HostBuffer({ ...tensor, data: tensor.data.slice() }, traffic),
  moved: () => traffic.moved,
});

export const deviceEngine: Engine = deviceOf();
