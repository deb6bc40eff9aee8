import { fork } from 'node:child_process';
import { ours } from './sides.ts';
import { evenTexts, pretrainedSubjects, subjects } from './subject.ts';

const STEPS = 8;

interface Options {
  readonly threads: number;
  readonly dropout: number;
  readonly model: string | undefined;
}

/** Most memory in MiB of a process that does nothing but train the first subject. */
export const peakOfOurs = (options: Options): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = fork(import.meta.filename, [JSON.stringify(options)]);
    child.on('message', (peak) => resolve(Number(peak)));
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`the process that measures memory ended with ${code}`)));
  });

const measure = async ({ threads, dropout, model }: Options): Promise<void> => {
  const [subject] = model === undefined ? subjects : (await pretrainedSubjects(model)).even;
  if (subject === undefined) throw new Error('there is nothing to train');
  const side = ours({ subject, texts: evenTexts(subject), dropout, threads });
  await side.run(STEPS);
  process.send?.(await side.peak());
  await side.close();
  process.disconnect?.();
};

if (process.argv[1] === import.meta.filename) await measure(JSON.parse(process.argv[2] ?? '{}'));
