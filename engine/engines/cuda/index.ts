import type { EngineKind } from '../kind.ts';

export const cuda: EngineKind = {
  name: 'cuda',
  summary: "ONNX Runtime's CUDA provider: NVIDIA devices, with CUDA 12 and cuDNN 9 installed",
  find: async () => (await import('./find.ts')).findCuda(),
  open: async () => {
    const [{ cudaOn }, { nvidiaDevice }] = [await import('./engine.ts'), await import('./smi.ts')];
    const device = await nvidiaDevice();
    return cudaOn(typeof device === 'string' ? {} : device);
  },
};
