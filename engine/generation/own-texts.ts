import { withCache } from '../../models/cache.ts';
import type { Model } from '../../models/model.ts';
import { endTokenOf } from '../../models/special-tokens.ts';
import { readOn } from '../decoding.ts';
import { type Encoded, tokensOf } from '../encoded.ts';
import type { Program } from '../engine.ts';
import { cpuEngine } from '../engines/cpu/engine.ts';
import { nothingRead } from '../feeds.ts';
import { numberAt, type Scheduled } from '../losses/scheduled.ts';
import { textsOfPass } from '../passes.ts';
import { buildEvaluation } from '../step.ts';
import type { TrainRequest } from '../train-request.ts';
import type { TrainingPlan } from '../training-plan.ts';
import { updateStream } from '../update-stream.ts';
import type { Updater } from '../updater.ts';
import { type Choose, chooser } from './choose.ts';

/** How a decoder writes texts that it is taught on itself. */
export interface Written {
  /** Share of the updates whose texts it writes. */
  readonly share: Scheduled;
  /** Tokens of a text that stay, unless an answer begins elsewhere. */
  readonly prompt: number;
  readonly temperature: number;
}

/** A row to be written on from some position. */
interface Begun {
  readonly row: number;
  readonly example: Encoded;
  readonly tokens: number[];
  readonly choose: Choose;
  done: boolean;
}

/** Seeds are whole numbers below this. */
const SEEDS = 2 ** 31 - 1;

/** What stays of a text: all in front of an answer, else so many tokens. */
const promptOf = ({ length, places }: Encoded, prompt: number): number => {
  const first = places?.[0] ?? 0;
  return Math.min(length, first > 0 ? first + 1 : prompt);
};

/** The example as it was written: asked about every token behind its beginning, up to the end of the text. */
const exampleOf = ({ example, tokens }: Begun): Encoded => {
  const places = example.places?.map((place) => (place < tokens.length ? place : -1));
  const own = Int32Array.from(tokens);
  return { ...example, length: own.length, byRole: { tokens: own }, ...(places === undefined ? {} : { places }) };
};

/** Writes on what is begun, all rows together, the shorter beginnings behind padding. */
const writeOn = async (
  program: Pick<Program, 'run'>,
  model: Model,
  {
    begun,
    end,
    signal,
  }: { readonly begun: readonly Begun[]; readonly end: number | undefined; readonly signal: AbortSignal },
): Promise<void> => {
  const longest = Math.max(...begun.map(({ tokens }) => tokens.length));
  const masks = begun.map(({ tokens }) =>
    Array.from({ length: longest }, (_, i) => Number(i >= longest - tokens.length)),
  );
  let unread = begun.map(({ tokens }) => [...Array<number>(longest - tokens.length).fill(0), ...tokens]);
  let past = nothingRead(model.info.signature, begun.length);
  const isDone = ({ done, tokens, example }: Begun): boolean => done || tokens.length >= example.length;
  while (!begun.every(isDone)) {
    signal.throwIfAborted();
    const read = await readOn(program, model, { tokens: unread, masks, past, last: 1 });
    past = read.past;
    unread = begun.map((one, i) => {
      const scores = read.scores.subarray(i * read.vocabulary, (i + 1) * read.vocabulary);
      const next = one.choose(scores, one.tokens);
      if (isDone(one)) return [0];
      // What stands behind the end of a text is asked of nobody.
      one.done = next === end;
      if (!one.done) one.tokens.push(next);
      return [next];
    });
    for (const mask of masks) mask.push(1);
  }
};

/** The texts of chosen updates, as the student of that moment goes on with their beginnings (Agarwal et al. 2024, arXiv 2306.13649). */
export class OwnTexts {
  readonly #request: TrainRequest;
  readonly #plan: TrainingPlan;
  readonly #written: Written;
  readonly #model: Model;
  #program: Program | undefined;

  constructor(request: TrainRequest, plan: TrainingPlan, written: Written) {
    this.#request = request;
    this.#plan = plan;
    this.#written = written;
    this.#model = withCache(request.task.answering(request.model));
  }

  /** What the examples of an update become, by their rows; nothing where it takes the texts of the data. */
  async of(step: number, updater: Updater): Promise<ReadonlyMap<number, Encoded>> {
    const { seed, threads, examples, faked, gates } = this.#request;
    const random = updateStream(seed, 'written', step);
    const { share, prompt, temperature } = this.#written;
    const texts = new Map<number, Encoded>();
    if (random.uniform() >= numberAt(share, step / this.#plan.totalSteps)) return texts;
    const graph = buildEvaluation(this.#model, { faked, gates: gates?.all });
    this.#program ??= await cpuEngine.compile(graph, { threads, optimization: 'all', memory: 'pooled' });
    const evaluation = await updater.evaluation(graph, this.#program);
    const program = { run: (feeds: Parameters<typeof evaluation.run>[0]) => evaluation.run(feeds, 'now') };
    for (const { rows, length } of this.#plan.update(step)) {
      const begun = Array.from(rows).flatMap((row): readonly Begun[] => {
        const example = examples.encoded[row];
        if (example === undefined) return [];
        const tokens = Array.from(tokensOf(example).subarray(0, promptOf(example, prompt)));
        return [{ row, example, tokens, choose: chooser({ temperature }, random.integer(SEEDS)), done: false }];
      });
      const most = textsOfPass(this.#model, begun.length)(length);
      for (let from = 0; from < begun.length; from += most)
        await this.#writeOn(program, begun.slice(from, from + most));
      for (const one of begun) texts.set(one.row, exampleOf(one));
    }
    return texts;
  }

  #writeOn(program: Pick<Program, 'run'>, begun: readonly Begun[]): Promise<void> {
    const { signal, model } = this.#request;
    return writeOn(program, this.#model, { begun, end: endTokenOf(model)?.id, signal });
  }

  async release(): Promise<void> {
    await this.#program?.release();
    this.#program = undefined;
  }
}
