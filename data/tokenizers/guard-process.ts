import { isRefusal, isUserError, messageOf } from '../../ground/errors.ts';
import type { TextInput } from '../tokenize.ts';
import type { GuardOrder, GuardReport } from './guard.ts';
import { type Worker, workerOf } from './jobs.ts';

/** Seconds of processor time that a piece may take; any sound tokenizer is through with it in a fraction. */
const secondsFor = (characters: number): number => 0.5 + characters / 100_000;

const MEGABYTE = 1024 ** 2;

/** Bytes that the process may hold beside what it held before its first text; sound ones take some hundreds a character. */
const bytesFor = (characters: number): number => 256 * MEGABYTE + 2048 * characters;

const WATCH_MS = 20;

const send = (report: GuardReport): Promise<void> =>
  new Promise((resolve) => {
    process.send?.(report, () => resolve());
  });

/** A plain exit would wait for the library. */
const die = (): void => void process.kill(process.pid, 'SIGKILL');

const give = async (limit: string): Promise<void> => {
  await send({ type: 'over', limit });
  die();
};

const processorSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** What is beyond a limit, if anything. Processor time does not depend on what else the machine does. */
const beyond = (seconds: number, bytes: number, characters: number): string | undefined => {
  const [time, memory] = [secondsFor(characters), bytesFor(characters)];
  if (seconds > time) return `it was not through after ${time.toFixed(1)} seconds of processor time`;
  return bytes > memory ? `it took more than ${Math.round(memory / MEGABYTE)} MB of memory` : undefined;
};

/** The library works beside this thread, which looks at what it takes. */
const watched = async <T>(characters: number, memory: number, work: () => Promise<T>): Promise<T> => {
  const started = processorSeconds();
  const timer = setInterval(() => {
    const over = beyond(processorSeconds() - started, process.memoryUsage.rss() - memory, characters);
    if (over !== undefined) void give(over);
  }, WATCH_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
};

const charactersOf = (input: TextInput): number =>
  typeof input === 'string' ? input.length : input.text.length + (input.pair?.length ?? 0);

const textOf = (input: TextInput): string => (typeof input === 'string' ? input : input.text);

const perform = async ({ texts, job, piece }: GuardOrder, worker: Worker): Promise<void> => {
  const memory = process.memoryUsage.rss();
  for (let at = 0; at < texts.length; at += piece) {
    const some = texts.slice(at, at + piece);
    const characters = some.reduce((sum, text) => sum + charactersOf(text), 0);
    const results = await watched<readonly unknown[]>(characters, memory, () =>
      job === undefined ? worker.words(some.map(textOf)) : worker.encode(some, job),
    );
    await send({ type: 'piece', results });
  }
};

const start = async (order: GuardOrder): Promise<void> => {
  try {
    const worker = workerOf(order.json);
    await send({ type: 'loaded' });
    await perform(order, worker);
  } catch (error) {
    const code = isUserError(error, 'data') ? error.code : isRefusal(error) ? 'tokenizer' : undefined;
    await send({ type: 'failed', code, message: messageOf(error) });
  }
  process.disconnect?.();
};

process.on('disconnect', die);
process.on('message', (order: GuardOrder) => void start(order));
