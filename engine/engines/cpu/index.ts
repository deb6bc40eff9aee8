import { cpus, totalmem } from 'node:os';
import type { EngineKind } from '../kind.ts';

export const cpu: EngineKind = {
  name: 'cpu',
  summary: "ONNX Runtime on the machine's processor: everywhere, without any installation",
  find: async () => ({ device: { name: cpus()[0]?.model ?? 'an unknown processor', memory: totalmem() }, facts: {} }),
  open: async () => (await import('./engine.ts')).cpuEngine,
};
