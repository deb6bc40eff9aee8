import { lower } from '../../../graph/lower/index.ts';
import type { Engine } from '../../engine.ts';
import { runtimeVersion } from '../cpu/engine.ts';
import type { Device } from '../kind.ts';
import { DeviceBuffer } from '../onnxruntime/device-buffer.ts';
import { LoweredProgram } from '../onnxruntime/lowered.ts';
import { Mover } from '../onnxruntime/mover.ts';
import { openGraph } from '../onnxruntime/open.ts';
import { Traffic } from '../traffic.ts';
import { explaining } from './failures.ts';
import { lackingIn } from './lacks.ts';
import { float16, lowering, onGpu } from './provider.ts';

let opened: Engine | undefined;

const factsOf = ({ name, driver }: Device): Readonly<Record<string, string>> => ({
  onnxruntime: runtimeVersion,
  adapter: name,
  ...(driver === undefined ? {} : { driver }),
});

const memoryOf = ({ memory }: Device): { readonly bytes?: number } => (memory === undefined ? {} : { bytes: memory });

/** Runs graphs on a GPU through ONNX Runtime's provider for WebGPU. There is one adapter a process, and one engine. */
export const webgpuOn = (device: Device): Engine => {
  const [traffic, mover] = [new Traffic(), new Mover(onGpu)];
  const guarded = <T>(work: Promise<T>): Promise<T> => explaining(work, device.name);
  opened ??= {
    target: {
      ...{ name: 'webgpu', facts: factsOf(device), optimizer: 'graph', lacking: lackingIn, fallsBack: true },
      ...(device.software === true ? {} : { ownMemory: memoryOf(device) }),
      float16: device.float16 === true ? float16 : undefined,
    },
    compile: async (graph, options) => {
      const lowered = lower(graph, lowering);
      const program = await guarded(openGraph(lowered.graph, options, { provider: onGpu, traffic }));
      return new LoweredProgram(graph, lowered, program, guarded);
    },
    buffer: (data) => guarded(DeviceBuffer.of(data, { mover, traffic })),
    moved: () => traffic.moved,
  };
  return opened;
};
