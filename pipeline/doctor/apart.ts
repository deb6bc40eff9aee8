import type { ChildProcess } from 'node:child_process';
import { forkModule, moduleBeside } from '../../data/process.ts';
import { bytes as sized } from '../../ground/bytes.ts';
import type { Check, Diagnosis } from '../api/types/graphs.ts';
import { type LimitOptions, type Limits, stepMemory } from '../guard/limits.ts';
import { endAll } from '../guard/processes.ts';
import { type Stop, watched } from '../guard/watch.ts';
import type { Question, Said } from './messages.ts';
import { checkNames } from './names.ts';

/** What is examined, and what was found before. */
export type Examining = Omit<Question, 'known'>;

const MEGABYTE = 1e6;
/** The runtime, its sessions and activations of a few short examples. */
const BASE = 1500 * MEGABYTE;
/** Copies of weights: the file's, those of sessions, gradients and moments. */
const COPIES = 24;

/** What the process may take, once the size of its weights is known. */
const limitsFor = (weights: number, { memory, timeout }: LimitOptions): Limits => {
  const bytes = memory === undefined ? Math.min(BASE + COPIES * weights, stepMemory()) : memory * MEGABYTE;
  return {
    memory: { bytes, message: `stopped: it took more than ${sized(bytes)} of memory; allow more with --memory MB` },
    time: {
      seconds: timeout,
      message: `stopped: it took more than ${timeout} seconds; allow more with --timeout SECONDS`,
    },
  };
};

/** What one process came to. */
interface Attended {
  readonly checks: readonly Check[];
  readonly unreadable?: string;
  /** The check that it did not come back from, and why. */
  readonly lost?: { readonly name: string; readonly why: string };
}

const endedBy = (code: number | null, signal: NodeJS.Signals | null, stop: Stop | undefined): string =>
  stop?.message ?? `the process ended by ${signal ?? `code ${code}`}: the runtime crashed, or was killed`;

/** What a process said, as it says it. */
class Listener {
  readonly checks: Check[] = [];
  unreadable: string | undefined;
  began = '';
  done = false;
  weights = 0;

  hear(said: Said): void {
    if (said.type === 'weights') this.weights = said.bytes;
    if (said.type === 'began') this.began = said.name;
    if (said.type === 'unreadable') this.unreadable = said.why;
    if (said.type === 'done') this.done = true;
    if (said.type === 'checked') this.checks.push(said.check);
  }

  end(why: string): Attended {
    const { checks, unreadable, done, began } = this;
    if (unreadable !== undefined) return { checks, unreadable };
    return done ? { checks } : { checks, lost: { name: began, why } };
  }
}

/** Listens to one process until it ends, and ends it where it takes too much. */
const attended = (
  child: ChildProcess,
  question: Question,
  limits: LimitOptions,
  emit: (check: Check) => void,
): Promise<Attended> =>
  new Promise((resolve) => {
    const listener = new Listener();
    let stop: Stop | undefined;
    const { set, off } = watched(child.pid ?? 0, (why) => {
      stop ??= why;
      void endAll(child.pid ?? 0);
    });
    const renew = (): void => set(limitsFor(listener.weights, limits));
    renew();
    child.stderr?.resume();
    child.stdout?.resume();
    child.on('message', (said: Said) => {
      listener.hear(said);
      if (said.type === 'checked') emit(said.check);
      renew();
    });
    child.once('error', ({ message }) => resolve(listener.end(message)));
    child.once('close', (code, signal) => {
      off();
      resolve(listener.end(endedBy(code, signal, stop)));
    });
    child.send(question, () => undefined);
  });

const failed = (name: string, why: string): Check => ({ name, ok: false, value: null, limit: null, why });

/** Of a model that cannot be read: what is wrong with it, and that nothing else could be tried. */
const unread = (why: string): Diagnosis => {
  const [load = '', ...others] = checkNames;
  return {
    readable: false,
    checks: [failed(load, why), ...others.map((name) => failed(name, `not tried: ${load} failed`))],
  };
};

/**
 * Examines a model in a process of its own. One that is lost in a check is followed by another, which goes on behind it: a
 * crash costs that check alone.
 */
export const examinedApart = async (
  asked: Examining,
  limits: LimitOptions,
  emit: (check: Check) => void,
  signal?: AbortSignal,
): Promise<Diagnosis> => {
  const known: Check[] = [];
  while (known.length < checkNames.length) {
    signal?.throwIfAborted();
    const child = forkModule(moduleBeside(import.meta.url, 'process'), 'pipe');
    const kill = (): void => void endAll(child.pid ?? 0);
    signal?.addEventListener('abort', kill, { once: true });
    const { checks, unreadable, lost } = await attended(child, { ...asked, known }, limits, emit);
    signal?.removeEventListener('abort', kill);
    signal?.throwIfAborted();
    known.push(...checks);
    const why = unreadable ?? (known.length === 0 ? lost?.why : undefined);
    if (why !== undefined && known.length === 0) {
      const diagnosis = unread(why);
      diagnosis.checks.forEach(emit);
      return diagnosis;
    }
    if (lost === undefined) break;
    const check = failed(lost.name, lost.why);
    known.push(check);
    emit(check);
  }
  return { readable: true, checks: known };
};
