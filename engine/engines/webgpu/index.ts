import { engineError } from '../../../ground/errors.ts';
import type { EngineKind, Found } from '../kind.ts';

/** What was found, by what decides which drivers are looked for. */
const found = new Map<string, Promise<Found>>();

const find = (): Promise<Found> => {
  const { VK_ICD_FILENAMES = '', VK_DRIVER_FILES = '' } = process.env;
  const key = `${VK_ICD_FILENAMES}|${VK_DRIVER_FILES}`;
  const known = found.get(key) ?? import('./find.ts').then(({ findAdapter }) => findAdapter());
  found.set(key, known);
  return known;
};

export const webgpu: EngineKind = {
  name: 'webgpu',
  summary: 'ONNX Runtime on a GPU by WebGPU (Vulkan, Metal, Direct3D 12): nothing else to install',
  find,
  open: async (device) => {
    const here = device === undefined ? await find() : { device };
    if ('device' in here) return (await import('./engine.ts')).webgpuOn(here.device);
    const line = here.install === undefined ? '' : `; ${here.install}`;
    throw engineError(`the engine webgpu is not there: ${here.missing}${line}`, { code: 'engine-missing' });
  },
};
