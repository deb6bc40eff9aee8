import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';

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

/** Flags of interest where the system tells (Linux), else none. */
const cpuFlags = (): readonly string[] => {
  try {
    const line = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
    const flags = new Set(line.trim().split(/\s+/));
    return interesting.filter((flag) => flags.has(flag));
  } catch {
    return [];
  }
};

/** What of the machine decides about kernels and threads. `architecture` as Node names it: x64, arm64. */
export interface Machine {
  readonly cpu: string;
  readonly architecture: string;
  readonly cpuFlags: readonly string[];
  /** Cores that this process may use at once. */
  readonly cores: number;
}

export const thisMachine = (): Machine => ({
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  architecture: process.arch,
  cpuFlags: cpuFlags(),
  cores: availableParallelism(),
});
