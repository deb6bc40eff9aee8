import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { forkModule, moduleBeside } from '../../data/process.ts';
import type { Need, Room } from '../../ground/memory.ts';
import { stepLimits } from '../guard/limits.ts';
import { endAll } from '../guard/processes.ts';
import { type Stop, watched } from '../guard/watch.ts';
import type { Command, Order, Outcome, Report } from './order.ts';

/** A step that was asked to save and stop gets this long. */
const SAVE_MS = 2500;

const beside = moduleBeside(import.meta.url, '../step-process');

const lastLines = (text: string): string => text.trim().split('\n').slice(-5).join('\n');

/** A process that needs so much of what it may have can have ended for want of it; another one was ended by somebody. */
const LIKELY = 0.5;

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** How a process ended that did not say so itself. */
const crashed = ({ code, signal, stderr }: Ended, { bytes }: Room, need?: Need): Outcome => {
  const how = signal === null ? `ended with code ${code}` : `was killed by ${signal}`;
  const isFull = signal === 'SIGKILL' || /heap out of memory|bad_alloc/.test(stderr);
  const message = `the process of the step ${how}${isFull ? ' (probably out of memory)' : ''}`;
  if (isFull && need !== undefined && need.bytes > LIKELY * bytes) {
    return { kind: 'failed', code: 'memory', theirs: true, message: `${message}; ${need.advice}`, detail: stderr };
  }
  const printed = lastLines(stderr);
  const all = `${message}${printed === '' ? '' : `: ${printed}`}`;
  return { kind: 'failed', code: 'crashed', theirs: false, message: all, detail: stderr };
};

/** How a process ended that took more than it may. */
const stopped = ({ code, message }: Stop): Outcome => ({ kind: 'failed', code, theirs: true, message, detail: '' });

/** Keeps the end of what a process prints, and all of it in a file; a silent process leaves none. */
const collect = (streams: readonly (NodeJS.ReadableStream | null)[], file: string): (() => string) => {
  let log: WriteStream | undefined;
  let tail = '';
  const take = (chunk: Buffer): void => {
    log ??= createWriteStream(file).on('error', () => undefined);
    tail = (tail + chunk.toString()).slice(-20_000);
    log.write(chunk);
  };
  for (const stream of streams) stream?.on('data', take);
  return () => {
    log?.end();
    return tail;
  };
};

interface Place {
  readonly logFile: string;
  /** The module of the process. */
  readonly entry?: string | undefined;
}

/**
 * Runs a step in a process of its own, which is watched: what takes too much memory is stopped. On abort it is asked to save; it is killed when that takes too long, and at once
 * when `kill` is aborted.
 */
export const runInChild = async (
  order: Order,
  { logFile, entry = beside }: Place,
  { abort, kill }: { readonly abort: AbortSignal; readonly kill: AbortSignal },
  onReport: (report: Report) => void,
): Promise<Outcome> => {
  await mkdir(dirname(logFile), { recursive: true });
  const child = forkModule(entry, 'pipe');
  const said = collect([child.stdout, child.stderr], logFile);
  const send = (command: Command): void => {
    if (child.connected) child.send(command, () => undefined);
  };
  let timer: NodeJS.Timeout | undefined;
  let stop: Stop | undefined;
  const end = (): void => void endAll(child.pid ?? 0);
  const { set, off } = watched(child.pid ?? 0, (why) => {
    stop ??= why;
    end();
  });
  let need: Need | undefined;
  set(stepLimits(order.memory));
  const save = (): void => {
    send({ type: 'abort' });
    timer = setTimeout(end, SAVE_MS);
  };
  abort.addEventListener('abort', save, { once: true });
  kill.addEventListener('abort', end, { once: true });
  try {
    return await new Promise<Outcome>((resolve) => {
      let outcome: Outcome | undefined;
      child.on('message', (report: Report) => {
        if (report.type === 'outcome') outcome = report.outcome;
        else if (report.type === 'need') {
          need = report.need;
          set(stepLimits(order.memory, need));
        } else onReport(report);
      });
      const ended = (how: Ended): Outcome => crashed(how, order.memory, need);
      child.on('error', ({ message }) => resolve(ended({ code: null, signal: null, stderr: message })));
      child.on('close', (code, signal) => {
        const stderr = said();
        const unsaid: Outcome = abort.aborted ? { kind: 'aborted' } : ended({ code, signal, stderr });
        resolve(outcome ?? (stop === undefined ? unsaid : stopped(stop)));
      });
      send({ type: 'start', order });
      if (abort.aborted) save();
    });
  } finally {
    off();
    clearTimeout(timer);
    abort.removeEventListener('abort', save);
    kill.removeEventListener('abort', end);
  }
};
