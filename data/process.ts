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
