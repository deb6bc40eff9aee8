import { type Targets, unknownTargets } from '../data/answer-targets.ts';
import type { Batch } from '../data/batches.ts';
import type { Stream } from '../data/random.ts';
import { type Answers, answersAbout } from './answers.ts';
import type { Encoded } from './encoded.ts';
import type { Feeds, HostTensor } from './engine.ts';
import { dropTokens, type Fed, feedsFor, fitted } from './feeds.ts';
import type { LossInput } from './losses/loss.ts';
import { stepBatch, type UpdateSize } from './step-batch.ts';
import type { Varied } from './tasks/task.ts';
import type { TrainRequest } from './train-request.ts';
import { updateStream } from './update-stream.ts';

/** Another reading of an example for an update. */
type Vary = (encoded: Encoded, random: Stream) => Varied;

type Source = Pick<TrainRequest, 'examples' | 'seed' | 'augmenters' | 'written'> & {
  readonly options: Pick<TrainRequest['options'], 'tokenDropout'>;
  readonly vary?: Vary | undefined;
};

/** A batch of an update. */
interface Turn {
  readonly step: number;
  readonly batch: Batch;
  readonly size: UpdateSize;
  /** Share of all updates in front of this one. */
  readonly done?: number;
  /** Rows of the update in front of these. */
  readonly before?: Int32Array;
}

/** Makes what a training step is fed, besides weights and dropout masks. */
export class BatchFeeder {
  readonly #model: Fed;
  readonly #source: Source;
  /** As the next update meets them: those of tasks that vary are written anew. */
  readonly #examples: Encoded[];
  readonly #targets: Targets;
  /** Rows that other examples stand for. */
  #replaced: readonly number[] = [];
  readonly answers: Answers;

  constructor(model: Fed, source: Source) {
    const { examples, vary, written } = source;
    this.#model = model;
    this.#source = source;
    this.#examples = [...examples.encoded];
    const { width, data } = examples.targets;
    this.#targets = vary === undefined && written === undefined ? examples.targets : { width, data: data.slice() };
    this.answers = answersAbout(this.#examples);
  }

  /** Takes other examples of the same answers, of which nothing is known, in the place of some until the next call. */
  replace(others: ReadonlyMap<number, Encoded>): void {
    const { encoded, targets } = this.#source.examples;
    for (const row of this.#replaced) this.#put(row, encoded[row], targets.data);
    const unknown = unknownTargets(targets.data.length).data;
    for (const [row, example] of others) this.#put(row, example, unknown);
    this.#replaced = [...others.keys()];
  }

  #put(row: number, example: Encoded | undefined, targets: Targets['data']): void {
    if (example === undefined) return;
    this.#examples[row] = example;
    const { width, data } = this.#targets;
    const [from = 0, to = 0] = this.answers.starts.subarray(row, row + 2);
    data.set(targets.subarray(width * from, width * to), width * from);
  }

  /** The model's inputs, and those that losses ask for. */
  feeds(inputs: readonly LossInput[], { batch: planned, size, done, step, before }: Turn): Feeds {
    const batch = fitted(this.#model, planned);
    this.#vary(batch, step);
    const { examples, options, seed, augmenters = [] } = this.#source;
    const feeds: Record<string, HostTensor> = { ...feedsFor(this.#model, this.#examples, batch) };
    const of = { model: this.#model, answers: this.answers, targets: this.#targets, teacher: examples.teacher };
    const fed = stepBatch(of, batch, size, done);
    for (const { name, feed } of inputs) feeds[name] = feed(fed);
    if (options.tokenDropout > 0) {
      const random = updateStream(seed, 'token-dropout', step);
      dropTokens(
        this.#model,
        { feeds, examples: this.#examples, batch, before },
        { rate: options.tokenDropout, random },
      );
    }
    const given = { model: this.#model, feeds, examples: this.#examples, batch, step, done: done ?? 0, before };
    for (const one of augmenters) one.feed?.(given);
    return feeds;
  }

  /** Other readings of a batch's examples, where the task has such. */
  #vary({ rows }: Batch, step: number): void {
    const { seed, examples, vary } = this.#source;
    if (vary === undefined) return;
    for (const row of rows) {
      const example = examples.encoded[row];
      if (example === undefined) continue;
      // A stream of its own: an example that is looked at alone is the same as in its batch.
      const { encoded, targets } = vary(example, updateStream(seed, 'vary', step, row));
      this.#examples[row] = encoded;
      this.#targets.data.set(targets, (this.answers.starts[row] ?? 0) * this.#targets.width);
    }
  }
}
