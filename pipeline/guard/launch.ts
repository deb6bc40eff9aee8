import { type ChildProcess, fork } from 'node:child_process';
import { moduleBeside } from '../../data/process.ts';
import { isLimits } from './limits.ts';
import { endAll } from './processes.ts';
import { type Stop, watched } from './watch.ts';

/** Commands that run models of strangers: what such a model does to its process ends that process alone. */
const guarded: ReadonlySet<string> = new Set(['predict', 'export', 'evaluate', 'benchmark']);

const FAILED = 1;

/** How a process ended that did not say so itself. */
const crashed = (signal: NodeJS.Signals): Stop => ({
  code: 'crashed',
  message:
    signal === 'SIGKILL'
      ? 'the process that ran the model was killed by SIGKILL (probably out of memory)'
      : `the model made ONNX Runtime crash (${signal}): the file is damaged or made to do that; nothing was changed`,
});

/** Signals that end a command end it in both processes: what the child makes of one is the answer. */
const passOn = (child: ChildProcess): void => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void child.kill(signal));
};

/** Of the watched process, how it ended by itself, or why it was stopped. */
const endOf = (child: ChildProcess): Promise<number | Stop> =>
  new Promise((resolve) => {
    let stop: Stop | undefined;
    let signalled = false;
    const { set, off } = watched(child.pid ?? 0, (why) => {
      stop ??= why;
      void endAll(child.pid ?? 0);
    });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => (signalled = true));
    child.on('message', (message) => {
      if (isLimits(message)) set(message);
    });
    child.on('error', ({ message }) => resolve({ code: 'crashed', message }));
    child.on('exit', (code, signal) => {
      off();
      const asked = signalled && signal !== null && signal !== 'SIGSEGV';
      resolve(stop ?? (signal === null ? (code ?? FAILED) : asked ? 130 : crashed(signal)));
    });
  });

const runGuarded = async (args: readonly string[]): Promise<void> => {
  const child = fork(moduleBeside(import.meta.url, 'guarded'), [...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  passOn(child);
  const end = await endOf(child);
  if (typeof end !== 'number') {
    const { tell } = await import('../explain.ts');
    tell({ ...end, exitCode: FAILED }, args);
  }
  process.exitCode = typeof end === 'number' ? end : FAILED;
};

/** The command line: in this process, or for commands that run models in one of its own, which is watched. */
export const launch = async (args: readonly string[]): Promise<void> => {
  if (guarded.has(args[0] ?? '')) return await runGuarded(args);
  const { main } = await import('../cli.ts');
  await main(args);
};
