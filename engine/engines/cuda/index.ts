import type { EngineKind } from '../kind.ts';

export const cuda: EngineKind = {
  name: 'cuda',
  summary: "ONNX Runtime's CUDA provider: NVIDIA devices, with CUDA 12 and cuDNN 9 installed",
  find: async () => (await import('./find.ts')).findCuda(),
  open: async () => (await import('./engine.ts')).cudaEngine,
};
