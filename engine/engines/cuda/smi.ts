import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Device } from '../kind.ts';

const MOST_MS = 20_000;

const MEBIBYTE = 2 ** 20;

/** A line of nvidia-smi: name, memory in MiB, version of the driver. */
export const deviceOf = (line: string): Device | undefined => {
  const [name = '', memory = '', driver = ''] = line.split(',').map((cell) => cell.trim());
  if (name === '' || driver === '') return undefined;
  const size = Number(memory);
  return { name, driver, ...(Number.isFinite(size) && size > 0 ? { memory: size * MEBIBYTE } : {}) };
};

/** The first NVIDIA device as its driver tells of it, or why there is none. */
export const nvidiaDevice = async (): Promise<Device | string> => {
  const query = ['--query-gpu=name,memory.total,driver_version', '--format=csv,noheader,nounits'];
  try {
    const { stdout } = await promisify(execFile)('nvidia-smi', query, { timeout: MOST_MS, encoding: 'utf8' });
    return deviceOf(stdout.split('\n')[0] ?? '') ?? `nvidia-smi names no device: ${stdout.trim()}`;
  } catch (error) {
    const { code, stdout = '', stderr = '' } = Object(error);
    if (code === 'ENOENT') return 'no NVIDIA driver is installed (there is no nvidia-smi)';
    const said = `${stdout}${stderr}`.trim().split('\n')[0];
    return `the NVIDIA driver does not answer (nvidia-smi: ${said === '' ? String(code) : said})`;
  }
};
