import type { Batch } from '../../data/batches.ts';
import type { Graph } from '../../graph/graph.ts';
import { stageError, type UserError } from '../../ground/errors.ts';
import type { Model } from '../../models/model.ts';
import { askedIn } from '../answers.ts';
import { BatchFeeder } from '../batch-feeder.ts';
import { type Motion, motionOf } from '../depth.ts';
import type { Encoded } from '../encoded.ts';
import type { Feeds } from '../engine.ts';
import { symbolsFor, symbolsIn } from '../feeds.ts';
import type { MaskBuffers } from '../masks.ts';
import { rateAt } from '../schedule.ts';
import { buildStep, type TrainingStep } from '../step.ts';
import { sizeOfUpdate, type UpdateSize } from '../step-batch.ts';
import type { TrainRequest } from '../train-request.ts';
import type { TrainingPlan } from '../training-plan.ts';
import { trainedArrays } from '../training-state.ts';
import { updateStream } from '../update-stream.ts';
import type { TimeSpent } from '../updater.ts';
import { weightFeeds } from '../weight-feeds.ts';

const nothingMoves = ({ freeze = [] }: TrainRequest['options']): UserError =>
  stageError(`freeze: [${freeze.join(', ')}] leaves no parameter that training could move; freeze less`);

/** One batch of an update, and which update and pass it belongs to. */
export interface Turn {
  readonly step: number;
  readonly pass: number;
  readonly batch: Batch;
  readonly size: UpdateSize;
  /** Share of all updates in front of this one. */
  readonly done: number;
  /** Rows of the passes before. */
  readonly before: Int32Array;
}

/** Plain memory for arrays of the host. */
export const plainMemory = { floats: (length: number): Float32Array<ArrayBuffer> => new Float32Array(length) };

/** What updates are made of, wherever weights are moved: the steps of phases, batches and their feeds, rates. */
export class UpdateSource {
  readonly request: TrainRequest;
  readonly plan: TrainingPlan;
  /** The model whose output is answers. */
  readonly model: Model;
  readonly motion: Motion;
  readonly #feeder: BatchFeeder;

  constructor(request: TrainRequest, plan: TrainingPlan) {
    this.request = request;
    this.plan = plan;
    this.model = request.task.answering(request.model);
    this.#feeder = new BatchFeeder(this.model.info, { ...request, vary: request.task.varying?.(request.model) });
    const { frozen, factors } = motionOf(request.model, request.options);
    this.motion = { frozen, factors: new Map([...factors, ...(request.gates?.factors ?? [])]) };
  }

  /** Takes other examples in the place of some, until the next call. */
  replace(others: ReadonlyMap<number, Encoded>): void {
    this.#feeder.replace(others);
  }

  rate(step: number): number {
    const { learningRate, schedule } = this.request.options;
    return learningRate * rateAt(schedule, step, this.plan.totalSteps);
  }

  /** Whether steps compute in float16. */
  get isMixed(): boolean {
    return this.request.options.precision === 'fp16';
  }

  phaseOf(step: number): number {
    const { phases } = this.request;
    const found = phases.findIndex(({ until }) => step < Math.round(until * this.plan.totalSteps));
    return found < 0 ? phases.length - 1 : found;
  }

  stepOf(phase: number): TrainingStep {
    const { phases, options, faked, gates, augmenters = [] } = this.request;
    const losses = phases[phase]?.losses ?? [];
    const { dropout, recompute } = options;
    const built = buildStep(this.model, {
      losses,
      dropout,
      recompute,
      frozen: this.motion.frozen,
      scaled: this.isMixed,
      faked,
      gates: gates?.all,
      within: augmenters.flatMap(({ within }) => within ?? []),
    });
    if (built.parameters.every(({ auxiliary }) => auxiliary)) throw nothingMoves(options);
    return built;
  }

  /** The batches of an update. */
  turns(step: number): { readonly size: UpdateSize; readonly turns: readonly Turn[] } {
    const batches = this.plan.update(step);
    const size = sizeOfUpdate(batches, this.#feeder.answers);
    const before = (pass: number): Int32Array =>
      Int32Array.from(batches.slice(0, pass).flatMap(({ rows }) => [...rows]));
    const done = step / this.plan.totalSteps;
    return { size, turns: batches.map((batch, pass) => ({ step, pass, batch, size, done, before: before(pass) })) };
  }

  /** A batch as if it were all of its update, which draws what it drew as a pass of it. */
  alone(step: number, [pass, batch]: readonly [number, Batch]): Turn {
    const { before = new Int32Array(), done = 0 } = this.turns(step).turns[pass] ?? {};
    return { step, pass, batch, size: sizeOfUpdate([batch], this.#feeder.answers), done, before };
  }

  /** What a batch feeds beside weights; the masks of dropout lie in `masks` until it draws again. */
  feeds({ inputs, masks }: TrainingStep, turn: Turn, buffers: MaskBuffers): Feeds {
    const feeds = this.#feeder.feeds(inputs, turn);
    const symbols = symbolsIn(this.model.graph, feeds);
    const random = updateStream(this.request.seed, 'dropout', turn.step);
    return { ...feeds, ...buffers.draw(masks, symbols, random, this.#countsBefore(turn)) };
  }

  /** What the sizes that count texts and answers come to over the passes before. */
  #countsBefore({ before, batch }: Turn): Readonly<Record<string, number>> {
    const rows = { rows: before, length: batch.length };
    const answers = askedIn(this.#feeder.answers, rows);
    return symbolsFor(this.model, { batch: before.length, answers });
  }

  /** The weights of a step, or of an evaluation, as they were before any update. */
  startOf(graph: Graph, parameters: TrainingStep['parameters'] = []): Feeds {
    const drawn = parameters.filter(({ auxiliary }) => auxiliary);
    const { seed } = this.request;
    const arrays = trainedArrays({ graph: this.model.graph, before: [], seed }, drawn, plainMemory);
    return weightFeeds(graph, this.model, arrays);
  }
}

/** Counts what seconds go to. */
export class Stopwatch {
  #spent: TimeSpent = { graph: 0, optimizer: 0, feeds: 0 };

  get spent(): TimeSpent {
    return this.#spent;
  }

  /** Adds the time since `started` to a kind of work; gives the time now. */
  count(kind: keyof TimeSpent, started: number): number {
    const now = performance.now();
    this.#spent = { ...this.#spent, [kind]: this.#spent[kind] + (now - started) / 1000 };
    return now;
  }
}

/** Losses of batches added up. */
export class LossSum {
  loss = 0;
  count = 0;
  readonly terms: Record<string, number> = {};

  add(one: { readonly loss: number; readonly terms: Readonly<Record<string, number>> }): void {
    this.loss += one.loss;
    this.count++;
    for (const [name, term] of Object.entries(one.terms)) this.terms[name] = (this.terms[name] ?? 0) + term;
  }
}
