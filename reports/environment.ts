import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import type { Report } from './report.ts';

/** Instruction sets that decide how fast INT8 and float kernels are. */
const interesting = [
  'sse4_1',
  'avx',
  'avx2',
  'fma',
  'f16c',
  'avx512f',
  'avx512_vnni',
  'avx_vnni',
  'amx_int8',
  'asimddp',
  'i8mm',
  'sve',
];

/** CPU flags of interest where the system tells (Linux), else none. */
const cpuFlags = (): string[] => {
  try {
    const line = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
    const flags = new Set(line.trim().split(/\s+/));
    return interesting.filter((flag) => flags.has(flag));
  } catch {
    return [];
  }
};

const versionOf = (name: string): string => {
  const manifest: { readonly version: string } = createRequire(import.meta.url)(`${name}/package.json`);
  return manifest.version;
};

export const describeEnvironment = (threads: number, decantVersion: string): Report['environment'] => ({
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cpuFlags: cpuFlags(),
  threads,
  node: process.versions.node,
  onnxruntime: versionOf('onnxruntime-node'),
  decant: decantVersion,
});
