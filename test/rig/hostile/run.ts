import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { root } from '../build.ts';

/** How a command that read a hostile file ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
  /** Time that its processes computed, which other programs on the machine do not lengthen; 0 where the system does not say. */
  readonly cpuSeconds: number;
  /** The most that one of its processes held in memory; 0 where the system does not say. */
  readonly peakBytes: number;
}

const LOOK_MS = 10;

const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);

export const peakOf = (pid: number): number => {
  try {
    const [, kilobytes = '0'] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Math.max(Number(kilobytes) * 1024, ...childrenOf(pid).map(peakOf));
  } catch {
    return 0;
  }
};

/** Ticks of a second in which Linux counts what a process computes. */
const TICKS = 100;

export const computedBy = (pid: number): number => {
  try {
    // Behind the name, which may hold anything: user and system time of the process, and of its children that ended.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
      .slice(11, 15);
    const own = fields.reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS;
    return childrenOf(pid).reduce((sum, child) => sum + computedBy(child), own);
  } catch {
    return 0;
  }
};

/** Runs the real command line and watches what its processes hold. */
export const runWatched = (args: readonly string[], cwd: string, input?: string): Promise<Ended> => {
  const started = performance.now();
  const child = spawn(process.execPath, [`${root}bin/decant.js`, ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: '1', CI: 'true' },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  child.stdin?.end(input);
  let [stdout, stderr, peakBytes, cpuSeconds] = ['', '', 0, 0];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const look = setInterval(() => {
    peakBytes = Math.max(peakBytes, peakOf(child.pid ?? 0));
    cpuSeconds = Math.max(cpuSeconds, computedBy(child.pid ?? 0));
  }, LOOK_MS);
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearInterval(look);
      resolve({ code, signal, stdout, stderr, seconds: (performance.now() - started) / 1000, cpuSeconds, peakBytes });
    });
  });
};

/** Characters that steer terminals, reorder or hide what stands around them. */
const steering =
  /(?![\n\t]|\r\n)[\p{Cc}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\u2028\u2029\ufeff]/u;

/** What must never be seen of any file; each that was. Some documents have a null where there is no figure. */
export const faultsOf = (
  { code, signal, stdout, stderr }: Ended,
  noNumber = /\bNaN\b|: null\b|Infinity/,
): readonly string[] => {
  const text = `${stdout}\n${stderr}`;
  return [
    ...(signal === null && code !== null && [0, 1, 2].includes(code) ? [] : [`ended with ${signal ?? code}`]),
    ...(/^\s+at .+:\d+:\d+\)?$/m.test(text) ? ['a stack'] : []),
    ...(/\bcrash/.test(stderr) ? ['a crash'] : []),
    ...(code === 0 && noNumber.test(stdout) ? ['an answer that is no number'] : []),
    ...(steering.test(text) ? ['characters that steer a terminal'] : []),
    ...(code !== 0 && stderr.trim() === '' ? ['no word on what is wrong'] : []),
  ];
};
