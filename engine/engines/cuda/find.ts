import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Found } from '../kind.ts';
import { probe } from '../onnxruntime/probe.ts';
import { onCuda } from './provider.ts';
import { nvidiaDevice } from './smi.ts';

/** What ONNX Runtime loads from beside its binding. */
const libraries = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'] as const;

const packageFolder = (): string => dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));

/** Where the binding of this platform lies. */
const bindingFolder = (folder: string): string => {
  const napi = readdirSync(join(folder, 'bin')).find((name) => name.startsWith('napi-')) ?? '';
  return join(folder, 'bin', napi, process.platform, process.arch);
};

const install = (folder: string): string =>
  `ONNXRUNTIME_NODE_INSTALL=cuda12 node ${join(folder, 'script', 'install.js')} brings them from NuGet`;

/** The library that another one asked for in vain, as the system's loader says it. */
const lackingLibrary = /(\S+?\.so(?:\.\d+)*): cannot open shared object file/;

/** What holds a library that the provider asks for. */
const bringerOf = (library: string): string => {
  if (library.startsWith('libcuda.')) return 'install the NVIDIA driver';
  const product = library.startsWith('libcudnn') ? 'the cuDNN' : 'the CUDA toolkit';
  return `install ${product} that has it, and name its folder in LD_LIBRARY_PATH`;
};

/** Why ONNX Runtime could not use the device, from what it threw and printed. */
export const reasonOf = (problem: string, printed: string): { readonly missing: string; readonly install?: string } => {
  const missing = [...printed.matchAll(new RegExp(lackingLibrary, 'g'))].at(-1)?.[1];
  if (missing !== undefined && !missing.includes('onnxruntime')) {
    return {
      missing: `ONNX Runtime's CUDA provider needs ${missing}, which the system does not find`,
      install: bringerOf(missing),
    };
  }
  if (/driver version is insufficient|CUDA error 35|forward compatib/i.test(`${problem} ${printed}`)) {
    return { missing: 'the NVIDIA driver is too old for this CUDA', install: 'install a newer NVIDIA driver' };
  }
  return { missing: `ONNX Runtime's CUDA provider fails: ${problem}` };
};

/** Looks for all that ONNX Runtime's CUDA provider needs, in the order in which it needs it. */
export const findCuda = async (): Promise<Found> => {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { missing: `onnxruntime-node has CUDA for Linux on x64, this is ${process.platform} on ${process.arch}` };
  }
  const device = await nvidiaDevice();
  if (typeof device === 'string') return { missing: device };
  const folder = packageFolder();
  const beside = bindingFolder(folder);
  const absent = libraries.filter((name) => !existsSync(join(beside, name)));
  if (absent.length > 0) {
    return { missing: `${absent.join(' and ')} lie not beside ONNX Runtime in ${beside}`, install: install(folder) };
  }
  const { problem, printed, float16 } = await probe(onCuda);
  if (problem !== null) return reasonOf(problem, printed);
  const { version } = createRequire(import.meta.url)(join(folder, 'package.json'));
  return { device: { ...device, ...(float16 ? { float16 } : {}) }, facts: { onnxruntime: String(version) } };
};
