import type { Engine } from '../../engine/engine.ts';
import { chooser } from '../../engine/generation/choose.ts';
import { openWriter, type Writing, written } from '../../engine/generation/generate.ts';
import { strategies } from '../../engine/generation/strategies/index.ts';
import { modelTask, type TaskName, writes } from '../../ground/tasks.ts';
import type { Model } from '../../models/model.ts';
import { requestError } from '../diagnostic.ts';
import { limited } from '../guard/limits.ts';
import { textWork } from '../guard/work.ts';
import { defaultThreads } from '../plan/threads.ts';
import { openModel } from './open.ts';
import type { Generated, GenerateOptions, TokensTimed, WrittenPiece } from './types/models.ts';

const USUAL_TOKENS = 128;

/** Numbers beyond what a strategy takes are told before anything is loaded. */
const expectTaken = (options: GenerateOptions): void => {
  for (const { option, expected } of strategies) {
    const given = options[option];
    const words = given === undefined ? undefined : expected(given);
    if (words !== undefined) throw requestError(`${option}: expected ${words}; found ${given}`);
  }
};

const timed = (tokens: number, milliseconds: number): TokensTimed => ({
  tokens,
  seconds: milliseconds / 1000,
  tokensPerSecond: milliseconds === 0 ? 0 : (1000 * tokens) / milliseconds,
});

/** Where the first of the stops begins in a text; undefined where none is in it. */
const stopIn = (text: string, stops: readonly string[]): number | undefined => {
  const found = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return found.length === 0 ? undefined : Math.min(...found);
};

/** How much of a text's end may be the beginning of a stop: it is not told before that is known. */
const heldBack = (text: string, stops: readonly string[]): number => {
  const begins = (stop: string): number => {
    for (let length = Math.min(stop.length - 1, text.length); length > 0; length--) {
      if (text.endsWith(stop.slice(0, length))) return length;
    }
    return 0;
  };
  return Math.max(0, ...stops.map(begins));
};

/** A text as it grows, told as far as no stop begins in it. */
class Growing {
  readonly #stops: readonly string[];
  readonly #emit: (text: string) => void;
  #text = '';
  #told = 0;

  constructor(stops: readonly string[], emit: (text: string) => void) {
    this.#stops = stops;
    this.#emit = emit;
  }

  /** Adds to the text; true where it met a stop, at which it ends. */
  add(piece: string): boolean {
    this.#text += piece;
    const stop = stopIn(this.#text, this.#stops);
    if (stop !== undefined) this.#text = this.#text.slice(0, stop);
    this.#tell(stop === undefined ? this.#text.length - heldBack(this.#text, this.#stops) : stop);
    return stop !== undefined;
  }

  /** All of it. */
  end(): string {
    this.#tell(this.#text.length);
    return this.#text;
  }

  #tell(upTo: number): void {
    if (upTo <= this.#told) return;
    this.#emit(this.#text.slice(this.#told, upTo));
    this.#told = upTo;
  }
}

/** A model that is loaded to write: a text on, or an answer to it. */
interface Loaded {
  readonly model: Model;
  /** Whether what is written answers the prompt, and is a text of its own. */
  readonly answers: boolean;
  write(writing: Writing): AsyncGenerator<number>;
  release(): Promise<void>;
}

const load = async (model: Model, engine: Engine, threads: number): Promise<Loaded> => {
  if (modelTask(model.info.task).reads === 'source') {
    const { answered, openAnswerWriter, releaseAnswerWriter } = await import('../../engine/generation/answer.ts');
    const writer = await openAnswerWriter(model, engine, threads);
    return {
      ...{ model: writer.model, answers: true },
      write: ({ prompt, ...how }) => answered(writer, { source: prompt, ...how }),
      release: () => releaseAnswerWriter(writer),
    };
  }
  const writer = await openWriter(model, engine, threads);
  return {
    ...{ model: writer.model, answers: false },
    write: (writing) => written(writer, writing),
    release: () => writer.program.release(),
  };
};

const promptIds = async (path: string, { model }: Loaded, prompt: string): Promise<readonly number[]> => {
  const { TO_THE_END, tokenizerOf } = await import('../../data/tokenize.ts');
  const { tokenizerIn } = await import('../../models/model.ts');
  const { ids } = await tokenizerOf(tokenizerIn(model)).encode(prompt, TO_THE_END);
  const { maxLength } = model.info;
  if (prompt === '' && ids.length === 0) throw requestError(`${path}: the prompt is empty; expected some text`);
  if (ids.length >= maxLength) {
    throw requestError(
      `${path}: the prompt has ${ids.length} tokens, and the model has ${maxLength} positions, one of them for what comes next; shorten the prompt`,
    );
  }
  return Array.from(ids);
};

const expectWriting = (path: string, task: TaskName): void => {
  if (writes(task)) return;
  throw requestError(`${path}: is made for ${task} and writes no texts; decant predict asks it`);
};

/** Loads a decoder, has it write a text on, and releases it. */
export const generateText = async (
  path: string,
  prompt: string,
  options: GenerateOptions,
  emit: (piece: WrittenPiece) => void,
): Promise<Generated> => {
  expectTaken(options);
  const opened = await openModel(path, options);
  expectWriting(path, opened.model.info.task);
  const { renew } = await limited(() => textWork(opened, [prompt]));
  const { cpuEngine } = await import('../../engine/engines/cpu/engine.ts');
  const loaded = await load(opened.model, cpuEngine, options.threads ?? defaultThreads());
  try {
    return await writeOn(loaded, { ids: await promptIds(path, loaded, prompt), prompt, options, emit, renew });
  } finally {
    await loaded.release();
  }
};

interface Task {
  readonly ids: readonly number[];
  readonly prompt: string;
  readonly options: GenerateOptions;
  emit(piece: WrittenPiece): void;
  /** Says that it goes on. */
  renew(): void;
}

const writeOn = async (loaded: Loaded, { ids, prompt, options, emit, renew }: Task): Promise<Generated> => {
  const { textWriter } = await import('../../data/tokenizers/decode.ts');
  const { endTokenOf } = await import('../../models/special-tokens.ts');
  const { tokenizerIn } = await import('../../models/model.ts');
  const { tokens = USUAL_TOKENS, stop = [], seed = 0, signal } = options;
  const { model } = loaded;
  const before = loaded.answers ? [] : ids;
  const most = Math.min(tokens, model.info.maxLength - before.length);
  const end = endTokenOf(model)?.id;
  const text = await textWriter(tokenizerIn(model), before);
  const kind = loaded.answers ? ({ answers: true } as const) : {};
  const growing = new Growing(stop, (piece) => emit({ text: piece, ...kind }));
  const began = performance.now();
  let [first, count, reason]: [number, number, Generated['reason']] = [began, 0, 'tokens'];
  for await (const id of loaded.write({ prompt: ids, most, choose: chooser(options, seed), end, signal })) {
    renew();
    if (count++ === 0) first = performance.now();
    if (id === end) reason = 'end';
    else if (growing.add(await text.add(id))) reason = 'stop';
    if (reason === 'stop') break;
  }
  const last = performance.now();
  if (reason !== 'stop' && growing.add(await text.rest())) reason = 'stop';
  return {
    ...{ prompt, text: growing.end(), reason, ...kind },
    read: timed(ids.length, first - began),
    written: timed(Math.max(0, count - 1), last - first),
  };
};
