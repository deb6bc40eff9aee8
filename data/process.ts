import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The module of a name relative to another one, compiled like it or in TypeScript like it. */
export const moduleBeside = (url: string, name: string): string =>
  fileURLToPath(new URL(`${name}${extname(url)}`, url));

/**
 * Runs a module in a process of its own that reports by messages; what it says to standard error is piped. From source
 * (benchmarks, tests) a loader for TypeScript comes before it. Debuggers stay with this process: their port is taken.
 */
export const forkModule = (
  entry: string,
  stdout: 'pipe' | 'inherit',
  env: Readonly<Record<string, string>> = {},
): ChildProcess =>
  fork(entry, [], {
    execArgv: [
      ...process.execArgv.filter((arg) => !arg.startsWith('--inspect')),
      ...(entry.endsWith('.ts') ? ['--import', 'tsx'] : []),
    ],
    stdio: ['ignore', stdout, 'pipe', 'ipc'],
    serialization: 'advanced',
    env: { ...process.env, ...env },
  });

/** What a process made of one question, and how it ended. */
export interface Answered {
  /** Its first message; undefined where it ended without one. */
  readonly answer: unknown;
  /** What it said to standard error. */
  readonly printed: string;
  /** A signal, a code, or why it never began. */
  readonly ended: string;
  /** Whether it was killed because its time was over. */
  readonly late: boolean;
}

export interface AskOptions {
  /** Its time, after which it is killed. */
  readonly seconds?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Kills it. */
  readonly signal?: AbortSignal;
}

/**
 * Asks a module in a process of its own: what crashes, hangs or prints there ends and fills no more than that process. All that
 * it prints is taken, since one that nobody reads would wait for ever.
 */
export const askModule = (
  entry: string,
  question: string | object,
  { seconds, env = {}, signal }: AskOptions = {},
): Promise<Answered> =>
  new Promise((resolve) => {
    const child = forkModule(entry, 'pipe', env);
    let [answer, printed, late]: [unknown, string, boolean] = [undefined, '', false];
    const stop = (): void => {
      late = true;
      child.kill('SIGKILL');
    };
    const timer = seconds === undefined ? undefined : setTimeout(stop, seconds * 1000);
    const kill = (): void => void child.kill('SIGKILL');
    signal?.addEventListener('abort', kill, { once: true });
    const end = (ended: string): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', kill);
      resolve({ answer, printed, ended, late });
    };
    child.stdout?.resume();
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (printed += text));
    child.on('message', (message) => (answer ??= message));
    child.once('error', ({ message }) => end(message));
    child.once('close', (code, signal) => end(signal ?? `code ${code}`));
    child.send(question, () => undefined);
  });

/** The other side of `askModule`: answers the one question that this process gets, and ends when that is sent or nobody asks. */
export const answerOnce = <Q>(answer: (question: Q) => Promise<object>): void => {
  process.on('disconnect', () => process.exit());
  process.on('message', (question: Q) => {
    void answer(question).then((said) => process.send?.(said, () => process.exit(0)));
  });
};
