import type { Feeds, HostTensor, Program } from '../engine.ts';
import { cpuEngine } from '../engines/cpu/engine.ts';
import { MaskBuffers } from '../masks.ts';
import type { EmittedPass } from '../optimizer/emit.ts';
import { rowFeeds } from '../optimizer/row-sums.ts';
import type { TrainingStep } from '../step.ts';
import type { Turn, UpdateSource } from './source.ts';

/** Ids as 32-bit numbers: they are never beyond. */
const idsIn = ({ data }: HostTensor): Int32Array => Int32Array.from(data, Number);

const isSame = (a: Turn, b: Turn): boolean => a.step === b.step && a.pass === b.pass && a.batch === b.batch;

/** Makes what batches feed: the next one's while the device works on this one. */
export class AheadFeeds {
  readonly #source: UpdateSource;
  readonly #step: TrainingStep;
  readonly #pass: EmittedPass;
  /** Drawn in turns: one is fed while the other is filled. */
  #masks: readonly [MaskBuffers, MaskBuffers] = [new MaskBuffers(), new MaskBuffers()];
  #ahead: { readonly turn: Turn; readonly feeds: Promise<Feeds> } | undefined;
  #ids: Program | undefined;

  constructor(source: UpdateSource, step: TrainingStep, pass: EmittedPass) {
    this.#source = source;
    this.#step = step;
    this.#pass = pass;
  }

  /** What a batch feeds, made now or ahead. */
  take(turn: Turn): Promise<Feeds> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    return ahead !== undefined && isSame(ahead.turn, turn) ? ahead.feeds : this.#made(turn);
  }

  /** Makes what comes next. Why that fails is told by whoever takes it. */
  prepare(turn: Turn | undefined): void {
    if (turn === undefined) return;
    const feeds = this.#made(turn);
    feeds.catch(() => undefined);
    this.#ahead = { turn, feeds };
  }

  async #made(turn: Turn): Promise<Feeds> {
    const [masks, others] = this.#masks;
    this.#masks = [others, masks];
    const feeds = this.#source.feeds(this.#step, turn, masks);
    const values = { ...feeds, ...(await this.#idsOf(feeds)) };
    const rows = this.#pass.tables.map(({ inputs, height, ids }) => {
      const all = ids.flatMap((name) => {
        const found = values[name];
        return found === undefined ? [] : [...idsIn(found)];
      });
      return rowFeeds(inputs, Int32Array.from(all), height);
    });
    return Object.assign({ ...feeds }, ...rows);
  }

  /** Ids that the graph makes of what it is fed: a small graph on the host makes them first. */
  async #idsOf(feeds: Feeds): Promise<Feeds> {
    const { ids } = this.#pass;
    if (ids === undefined) return {};
    this.#ids ??= await cpuEngine.compile(ids, { threads: 1, memory: 'pooled' });
    const inputs = new Set<string>(ids.inputs);
    return this.#ids.run(Object.fromEntries(Object.entries(feeds).filter(([name]) => inputs.has(name))));
  }

  async release(): Promise<void> {
    await this.#ids?.release();
  }
}
