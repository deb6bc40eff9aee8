import type { EngineKind } from '../kind.ts';

export const tensorflow: EngineKind = {
  name: 'tensorflow',
  summary: 'TensorFlow.js over its own library, on a GPU or on the processor, where one of its packages is installed',
  find: async () => (await import('./find.ts')).find(),
  open: async () => (await import('./open.ts')).open(),
};
