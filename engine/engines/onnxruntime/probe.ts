import { forkModule, moduleBeside } from '../../../data/process.ts';
import type { Provider } from './provider.ts';

/** What a process says that tried a provider: why it failed, and the files of drivers in its memory. */
interface Said {
  readonly problem: string | null;
  readonly libraries: readonly string[];
}

/** What came of a provider's first run, and what the native library printed about it. */
export interface Probed extends Said {
  readonly printed: string;
}

/** Another process in the place of the one that tries, as tests of crashes need it. */
interface Attempt {
  readonly module?: string;
  readonly seconds?: number;
}

const MOST_SECONDS = 60;

/** Runs one operator on a provider in a process of its own: drivers crash and hang. */
export const probe = (provider: Provider, { module, seconds = MOST_SECONDS }: Attempt = {}): Promise<Probed> =>
  new Promise((resolve) => {
    const child = forkModule(module ?? moduleBeside(import.meta.url, './probe-process'), 'pipe');
    let printed = '';
    let said: Said | undefined;
    const say = (one: Said): void => {
      said ??= one;
    };
    const fail = (problem: string): void => say({ problem, libraries: [] });
    const timer = setTimeout(() => {
      fail(`it did not end within ${seconds} s`);
      child.kill('SIGKILL');
    }, seconds * 1000);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (printed += text));
    child.on('message', (message) => say(message as Said));
    child.on('error', ({ message }) => fail(message));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      fail(`its process ended with ${signal ?? `code ${code}`}`);
      if (said !== undefined) resolve({ ...said, printed });
    });
    child.send(provider, () => undefined);
  });
