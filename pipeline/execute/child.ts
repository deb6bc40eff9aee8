import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { forkModule, moduleBeside } from '../../data/process.ts';
import type { Command, Order, Outcome, Report } from './order.ts';

/** A step that was asked to save and stop gets this long. */
const SAVE_MS = 2500;

const beside = moduleBeside(import.meta.url, '../step-process');

const lastLines = (text: string): string => text.trim().split('\n').slice(-5).join('\n');

/** How a process ended that did not say so itself. */
const crashed = (code: number | null, signal: NodeJS.Signals | null, stderr: string): Outcome => {
  const how = signal === null ? `ended with code ${code}` : `was killed by ${signal}`;
  const memory = signal === 'SIGKILL' || /heap out of memory/.test(stderr) ? ' (probably out of memory)' : '';
  const printed = lastLines(stderr);
  const message = `the process of the step ${how}${memory}${printed === '' ? '' : `: ${printed}`}`;
  return { kind: 'failed', code: 'crashed', theirs: false, message, detail: stderr };
};

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

/**
 * Runs a step in a process of its own. On abort it is asked to save; it is killed when that takes too long, and at once
 * when `kill` is aborted.
 */
export const runInChild = async (
  order: Order,
  { logFile, entry = beside }: { readonly logFile: string; readonly entry?: string | undefined },
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
  const end = (): void => void child.kill('SIGKILL');
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
        else onReport(report);
      });
      child.on('error', (error) => resolve(crashed(null, null, error.message)));
      child.on('close', (code, signal) => {
        const printed = said();
        const unsaid: Outcome = abort.aborted ? { kind: 'aborted' } : crashed(code, signal, printed);
        resolve(outcome ?? unsaid);
      });
      send({ type: 'start', order });
      if (abort.aborted) save();
    });
  } finally {
    clearTimeout(timer);
    abort.removeEventListener('abort', save);
    kill.removeEventListener('abort', end);
  }
};
