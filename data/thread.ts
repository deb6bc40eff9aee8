import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, Worker } from 'node:worker_threads';
import { type Carried, carried, uncarried } from '../ground/errors.ts';

/** What a module does in a thread of its own, by name. Questions and answers are plain data. */
type Verbs<V> = { readonly [N in keyof V]: (given: never) => Promise<unknown> };

type Given<V extends Verbs<V>, N extends keyof V> = Parameters<V[N]>[0];

export interface Thread<V extends Verbs<V>> {
  /** Questions are begun in their order, whether those before are answered or not. */
  ask<N extends keyof V>(name: N, given: Given<V, N>): ReturnType<V[N]>;
  /** The same after the signal, too; nothing where the thread has ended already. */
  finish(name: keyof V): Promise<void>;
  end(): Promise<void>;
}

interface Question {
  readonly id: number;
  readonly name: PropertyKey;
  readonly given: unknown;
}

type Reply = { readonly id: number } & ({ readonly answer: unknown } | { readonly failure: Carried });

interface Waiting {
  resolve(answer: unknown): void;
  reject(reason: unknown): void;
}

/** From source (benchmarks, tests) a loader for TypeScript comes before a module; threads take none from the command line. */
const scriptFor = (entry: string): string => {
  const module = JSON.stringify(pathToFileURL(entry).href);
  return extname(entry) === '.ts'
    ? `import('tsx/esm/api').then(({ register }) => (register(), import(${module})))`
    : `import(${module})`;
};

/** Runs a module in a thread of its own, which answers questions until it is ended or the signal says that nobody wants to know. */
export const openThread = <V extends Verbs<V>>(entry: string, signal: AbortSignal): Thread<V> => {
  const worker = new Worker(scriptFor(entry), { eval: true });
  const waiting = new Map<number, Waiting>();
  let [count, over]: [number, { readonly reason: unknown } | undefined] = [0, undefined];
  const stop = (reason: unknown): void => {
    over ??= { reason };
    for (const { reject } of waiting.values()) reject(reason);
    waiting.clear();
  };
  const put = (name: keyof V, given: unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      waiting.set(count, { resolve, reject });
      worker.postMessage({ id: count++, name, given } satisfies Question);
    });
  const ask = <N extends keyof V>(name: N, given: Given<V, N>): ReturnType<V[N]> =>
    (over === undefined ? put(name, given) : Promise.reject(over.reason)) as ReturnType<V[N]>;
  worker.on('message', (reply: Reply) => {
    const one = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ('failure' in reply) one?.reject(uncarried(reply.failure));
    else one?.resolve(reply.answer);
  });
  worker.on('error', stop);
  const exited = new Promise<void>((resolve) => {
    worker.on('exit', () => {
      resolve();
      stop(new Error(`the thread of ${entry} ended by itself`));
    });
  });
  const onAbort = (): void => stop(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  return {
    ask,
    finish: async (name) => {
      await Promise.race([put(name, undefined), exited]);
    },
    end: async () => {
      signal.removeEventListener('abort', onAbort);
      await worker.terminate();
    },
  };
};

/** The other side of `openThread`. */
export const answerQuestions = <V extends Verbs<V>>(verbs: V): void => {
  parentPort?.on('message', ({ id, name, given }: Question) => {
    const verb: (given: never) => Promise<unknown> = verbs[name as keyof V];
    verb(given as never).then(
      (answer) => parentPort?.postMessage({ id, answer } satisfies Reply),
      (error: unknown) => parentPort?.postMessage({ id, failure: carried(error) } satisfies Reply),
    );
  });
};
