import { askModule, moduleBeside } from '../../../data/process.ts';
import type { Provider } from './provider.ts';

/** What a process says that tried a provider: why it failed, and the files of drivers in its memory. */
export interface Said {
  readonly problem: string | null;
  readonly libraries: readonly string[];
  /** Whether it computes in float16, too. */
  readonly float16: boolean;
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

const isSaid = (answer: unknown): answer is Said =>
  typeof answer === 'object' && answer !== null && 'problem' in answer && 'libraries' in answer;

/** Runs one operator on a provider in a process of its own: drivers crash and hang. */
export const probe = async (provider: Provider, { module, seconds = MOST_SECONDS }: Attempt = {}): Promise<Probed> => {
  const entry = module ?? moduleBeside(import.meta.url, './probe-process');
  const { answer, printed, ended, late } = await askModule(entry, provider, { seconds });
  if (isSaid(answer)) return { ...answer, printed };
  const problem = late ? `it did not end within ${seconds} s` : `its process ended with ${ended}`;
  return { problem, libraries: [], float16: false, printed };
};
