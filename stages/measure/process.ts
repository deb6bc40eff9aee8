import { forkModule, moduleBeside } from '../../data/process.ts';
import { stageError, type UserError } from '../../ground/errors.ts';
import type { Loaded, LoadOrder, LookOrder, Order, Report, Timed, TimeOrder } from './orders.ts';

const entry = moduleBeside(import.meta.url, './worker');

const KEPT_CHARACTERS = 2000;

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly printed: string;
}

/** How a process ended that did not say so itself. */
const crashed = (at: string, { code, signal, printed }: Ended): UserError => {
  const how = signal === null ? `ended with code ${code}` : `was killed by ${signal}`;
  const memory = signal === 'SIGKILL' || /out of memory|bad_alloc/i.test(printed);
  const advice = memory
    ? 'probably out of memory: free some, or measure a smaller batch (measure.batch, measure.grid)'
    : printed.trim().split('\n').slice(-3).join('\n');
  const kept = 'the stages are kept; run the same command again';
  return stageError(`measuring ${at}: its process ${how}${advice === '' ? '' : ` (${advice})`}; ${kept}`);
};

/** What it was measuring, and where. */
const placeOf = (at: string, { engine }: Order): string => (engine === undefined ? at : `${at} on ${engine}`);

/** How it failed by its own account: what its user can mend is no bug. */
const failed = (place: string, { message, theirs }: Extract<Report, { type: 'failed' }>): Error =>
  theirs ? stageError(`measuring ${place}: ${message}`) : new Error(`measuring ${place}: ${message}`);

export interface Watch {
  readonly signal: AbortSignal;
  /** Rounds that the process has done. */
  readonly onRound?: (done: number) => void;
}

/** Runs one order in a fresh process. Ctrl-C ends the process at once: there is nothing to save. */
const inProcess = async (order: Order, { signal, onRound }: Watch): Promise<Report> => {
  signal.throwIfAborted();
  const child = forkModule(entry, 'inherit');
  const end = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', end, { once: true });
  let [at, printed] = ['the models', ''];
  child.stderr?.on('data', (chunk: Buffer) => {
    printed = (printed + chunk.toString()).slice(-KEPT_CHARACTERS);
  });
  try {
    return await new Promise<Report>((resolve, reject) => {
      let last: Report | undefined;
      child.on('message', (report: Report) => {
        if (report.type === 'at') at = report.name;
        else if (report.type === 'round') onRound?.(report.done);
        else last = report;
      });
      child.on('error', (error) =>
        reject(crashed(placeOf(at, order), { code: null, signal: null, printed: error.message })),
      );
      child.on('close', (code, killed) => {
        if (last?.type === 'failed') reject(failed(placeOf(at, order), last));
        else if (last === undefined) reject(crashed(placeOf(at, order), { code, signal: killed, printed }));
        else resolve(last);
      });
      child.send(order, () => undefined);
    });
  } finally {
    signal.removeEventListener('abort', end);
    signal.throwIfAborted();
  }
};

const unexpected = (report: Report): Error => new Error(`a process that measures said '${report.type}' at its end`);

export const timeInProcess = async (order: TimeOrder, watch: Watch): Promise<Timed> => {
  const report = await inProcess(order, watch);
  if (report.type === 'timed') return report.timed;
  throw unexpected(report);
};

export const loadInProcess = async (order: LoadOrder, watch: Watch): Promise<Loaded> => {
  const report = await inProcess(order, watch);
  if (report.type === 'loaded') return report.loaded;
  throw unexpected(report);
};

export const lookInProcess = async (order: LookOrder, watch: Watch): Promise<readonly (readonly string[])[]> => {
  const report = await inProcess(order, watch);
  if (report.type === 'looked') return report.lacking;
  throw unexpected(report);
};
