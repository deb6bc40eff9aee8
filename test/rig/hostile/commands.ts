import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { forkModule, moduleBeside } from '../../../data/process.ts';
import type { Answered, Asked } from './commands-process.ts';
import { computedBy, type Ended, peakOf } from './run.ts';

/** What a process that is through with a file of some kilobytes never comes to. */
const MOST_CPU_SECONDS = 20;
const MOST_SECONDS = 180;
const LOOK_MS = 50;

/** Commands that one process answers: what it keeps of them counts as the next one's own. */
const COMMANDS_A_PROCESS = 16;

const started = async (): Promise<ChildProcess> => {
  const child = forkModule(moduleBeside(import.meta.url, './commands-process'), 'inherit');
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('exit', (code) => reject(new Error(`no command could be tried: the process ended with ${code}`)));
  });
  child.removeAllListeners('exit');
  return child;
};

/** From here on the system counts the most memory of a process anew. */
const forgetPeak = ({ pid }: ChildProcess): void => {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // Where the system does not know of it, nothing is asked.
  }
};

const ask = (child: ChildProcess, asked: Asked): Promise<Ended> => {
  const [pid, before] = [child.pid ?? 0, performance.now()];
  const [cpuBefore, secondsSince] = [computedBy(pid), () => (performance.now() - before) / 1000];
  let [peakBytes, printed] = [0, ''];
  const measured = () => ({ seconds: secondsSince(), peakBytes: Math.max(peakBytes, peakOf(pid)) });
  return new Promise((resolve) => {
    const look = setInterval(() => {
      peakBytes = Math.max(peakBytes, peakOf(pid));
      if (computedBy(pid) - cpuBefore > MOST_CPU_SECONDS || secondsSince() > MOST_SECONDS) child.kill('SIGKILL');
    }, LOOK_MS);
    const done = (ended: Ended): void => {
      clearInterval(look);
      child.removeAllListeners();
      child.stderr?.removeAllListeners('data');
      resolve(ended);
    };
    child.stderr?.on('data', (text: Buffer) => {
      printed += text.toString();
    });
    child.on('message', (answered: Answered) => {
      // Limits for whoever watches a model are no answers.
      if ('code' in answered) done({ ...measured(), ...answered, signal: null });
    });
    child.on('exit', (code, signal) =>
      done({ ...measured(), code, signal, stdout: '', stderr: printed, cpuSeconds: MOST_CPU_SECONDS }),
    );
    child.send(asked);
  });
};

/** Answers command lines by the real command line, many to a process; one that crashes or never ends costs only its own. */
export const hostileCommands = (): { run(args: readonly string[], cwd: string): Promise<Ended> } & AsyncDisposable => {
  let child: ChildProcess | undefined;
  let left = 0;
  const end = (): void => {
    child?.disconnect();
    child = undefined;
  };
  return {
    run: async (args, cwd) => {
      if (left-- <= 0 || child?.connected !== true) {
        if (child?.connected === true) end();
        child = await started();
        left = COMMANDS_A_PROCESS;
      }
      forgetPeak(child);
      return await ask(child, { args, cwd });
    },
    [Symbol.asyncDispose]: async () => end(),
  };
};
