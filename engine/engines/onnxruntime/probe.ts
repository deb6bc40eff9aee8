import { forkModule, moduleBeside } from '../../../data/process.ts';
import type { Provider } from './provider.ts';

/** What came of a provider's first run: why it failed, and what the native library printed about it. */
export interface Probed {
  readonly problem: string | null;
  readonly printed: string;
}

const MOST_SECONDS = 60;

/** Runs one operator on a provider in a process of its own: drivers crash and hang. */
export const probe = (provider: Provider): Promise<Probed> =>
  new Promise((resolve) => {
    const child = forkModule(moduleBeside(import.meta.url, './probe-process'), 'pipe');
    let printed = '';
    let problem: string | null | undefined;
    const timer = setTimeout(() => {
      problem ??= `it did not end within ${MOST_SECONDS} s`;
      child.kill('SIGKILL');
    }, MOST_SECONDS * 1000);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (printed += text));
    child.on('message', (said) => (problem = typeof said === 'string' ? said : null));
    child.on('error', ({ message }) => (problem ??= message));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({
        problem: problem === undefined ? `its process ended with ${signal ?? `code ${code}`}` : problem,
        printed,
      });
    });
    child.send(provider);
  });
