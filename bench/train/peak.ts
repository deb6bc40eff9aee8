import { fork } from 'node:child_process';
import { ours } from './sides.ts';
import { evenTexts, subjects } from './subject.ts';

const STEPS = 8;

/** Most memory in MiB of a process that does nothing but train the first subject. */
export const peakOfOurs = (threads: number, dropout: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = fork(import.meta.filename, [String(threads), String(dropout)]);
    child.on('message', (peak) => resolve(Number(peak)));
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`the process that measures memory ended with ${code}`)));
  });

const [subject] = subjects;
if (process.argv[1] === import.meta.filename && subject !== undefined) {
  const [threads, dropout] = process.argv.slice(2).map(Number);
  const side = ours({ subject, texts: evenTexts(subject), dropout: dropout ?? 0, threads: threads ?? 1 });
  await side.run(STEPS);
  process.send?.(await side.peak());
  await side.close();
  process.disconnect?.();
}
