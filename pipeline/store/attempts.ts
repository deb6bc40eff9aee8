import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { readTextNow } from '../../ground/whole-file.ts';
import { temporaryFor } from './atomic.ts';
import { hashJson } from './hash.ts';
import type { Store } from './store.ts';

const attemptSchema = z.object({
  schema: z.literal('decant.attempt/1'),
  /** Folder of its results. */
  out: z.string(),
  name: z.string(),
  started: z.string(),
  /** Keys of its steps, as far as it has come. */
  keys: z.array(z.string()),
});

/** A run that has not ended well: what it has computed serves the next try. */
type Attempt = Readonly<z.infer<typeof attemptSchema>>;

const folderSchema = z.object({ schema: z.literal('decant.results/1'), out: z.string() });

const writeNow = (file: string, content: unknown): void => {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = temporaryFor(file);
  writeFileSync(temporary, `${JSON.stringify(content)}\n`);
  renameSync(temporary, file);
};

const contentOf = (file: string): unknown => {
  try {
    return JSON.parse(readTextNow(file));
  } catch {
    return undefined;
  }
};

/** Notes that a folder holds results of a store, so that what they need is known to be in use. */
export const noteResults = (store: Store, out: string): void => {
  const file = join(store.part('runs'), `results-${hashJson(out)}.json`);
  if (!folderSchema.safeParse(contentOf(file)).success) writeNow(file, { schema: 'decant.results/1', out });
};

/** What of a run tells it from others in the same folder. */
export interface Trying {
  readonly out: string;
  readonly name: string;
  /** Everything that decides what the run computes. */
  readonly of: unknown;
}

/** Notes how far a run has come, whenever it begins to compute something: a run that is killed has left a note. */
export const noteAttempt = (store: Store, { out, name, of }: Trying) => {
  const file = join(store.part('runs'), `attempt-${hashJson({ out, of })}.json`);
  const keys = new Set<string>();
  const started = new Date().toISOString();
  return {
    reuses: (key: string): void => void keys.add(key),
    begins: (key: string): void => {
      keys.add(key);
      writeNow(file, { schema: 'decant.attempt/1', out, name, started, keys: [...keys] } satisfies Attempt);
    },
    succeeded: (): Promise<void> => rm(file, { force: true }),
  };
};

/** An attempt and the file that notes it. */
export interface NotedAttempt extends Attempt {
  readonly file: string;
}

const filesIn = async (store: Store): Promise<readonly string[]> =>
  (await readdir(store.part('runs')).catch(() => []))
    .filter((name) => name.endsWith('.json'))
    .map((name) => join(store.part('runs'), name));

/** Runs that have not ended well. */
export const attemptsIn = async (store: Store): Promise<readonly NotedAttempt[]> =>
  (await filesIn(store)).flatMap((file) => {
    const { data } = attemptSchema.safeParse(contentOf(file));
    return data === undefined ? [] : [{ ...data, file }];
  });

/** Folders that hold results of a store, as far as they were noted, with the files that note them. */
export const resultsOf = async (store: Store): Promise<ReadonlyMap<string, string>> =>
  new Map(
    (await filesIn(store)).flatMap((file) => {
      const { data } = folderSchema.safeParse(contentOf(file));
      return data === undefined ? [] : [[data.out, file] as const];
    }),
  );
