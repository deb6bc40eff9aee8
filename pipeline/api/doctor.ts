import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { examinedApart } from '../doctor/apart.ts';
import { defaultThreads } from '../plan/threads.ts';
import { inputsFrom } from './feeds.ts';
import { isOffline } from './offline.ts';
import { beforeReading } from './open.ts';
import { expectFreeFolder } from './out-folder.ts';
import type { Check, Diagnosis, DoctorOptions } from './types/graphs.ts';

const TIMEOUT = 600;

/** Tries everything that decant can do with a model, in a process of its own. */
export const diagnose = async (
  model: string,
  options: DoctorOptions,
  emit: (check: Check) => void,
): Promise<Diagnosis> => {
  const { keep, threads = defaultThreads(), timeout = TIMEOUT, memory, signal } = options;
  if (keep !== undefined) await expectFreeFolder(keep, { expected: 'the name of a folder to keep files in' });
  await beforeReading(model);
  const own = await mkdtemp(join(tmpdir(), 'decant-doctor-'));
  try {
    const folder = keep ?? join(own, 'files');
    await mkdir(folder, { recursive: true });
    const asked = {
      model,
      inputs: options.inputs === undefined ? [] : inputsFrom(options.inputs),
      threads,
      offline: isOffline(options),
      folder,
    };
    const limits = { timeout, ...(memory === undefined ? {} : { memory }) };
    return await examinedApart({ ...asked, download: join(own, 'download') }, limits, emit, signal);
  } finally {
    await rm(own, { recursive: true, force: true });
  }
};
