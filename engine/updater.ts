import type { Batch } from '../data/batches.ts';
import { stream } from '../data/random.ts';
import type { Graph } from '../graph/graph.ts';
import { stageError, type UserError } from '../ground/errors.ts';
import type { Model } from '../models/model.ts';
import { adamwStep, clipScale, globalNorm } from './adamw.ts';
import { BatchFeeder } from './batch-feeder.ts';
import { type Motion, motionOf } from './depth.ts';
import type { HostTensor, Program } from './engine.ts';
import { cpuEngine } from './engines/cpu/engine.ts';
import { symbolsIn } from './feeds.ts';
import { GradientRunner } from './gradients.ts';
import { hostTensorOf } from './host.ts';
import type { KernelMemory } from './kernels/memory.ts';
import { MaskBuffers } from './masks.ts';
import { rateAt } from './schedule.ts';
import { buildStep, type TrainingStep } from './step.ts';
import { sizeOfUpdate, type UpdateSize } from './step-batch.ts';
import type { TrainRequest } from './train-request.ts';
import type { TrainingPlan } from './training-plan.ts';
import { type Trained, trainedArrays, trainingMemory } from './training-state.ts';

/** What the batches of an update come to. */
export interface Outcome {
  readonly loss: number;
  /** Each loss by its name. */
  readonly terms: Readonly<Record<string, number>>;
  /** Norm of the gradient of all parameters. */
  readonly norm: number;
}

export const isFiniteOutcome = ({ loss, norm }: Outcome): boolean => Number.isFinite(loss) && Number.isFinite(norm);

const nothingMoves = ({ freeze = [] }: TrainRequest['options']): UserError =>
  stageError(`freeze: [${freeze.join(', ')}] leaves no parameter that training could move; freeze less`);

interface Compiled {
  readonly phase: number;
  readonly step: TrainingStep;
  readonly program: Program;
  readonly memory: KernelMemory;
  readonly runner: GradientRunner;
  /** Weights under training and frozen ones, for the inputs of the step. */
  readonly weights: Readonly<Record<string, HostTensor>>;
}

/** Weights for the inputs of a graph: trained ones from their arrays, others as the model has them. */
export const weightFeeds = (
  graph: Graph,
  model: Model,
  trained: readonly Trained[],
): Readonly<Record<string, HostTensor>> => {
  const arrays = new Map(trained.map((one) => [one.name, one]));
  const feeds: Record<string, HostTensor> = {};
  for (const input of graph.inputs) {
    const moving = arrays.get(input);
    const fixed = model.graph.weights.get(input);
    if (moving !== undefined) feeds[input] = { dtype: 'float32', dims: moving.dims, data: moving.data };
    else if (fixed !== undefined) feeds[input] = hostTensorOf(fixed);
  }
  return feeds;
};

/** Seconds of all updates so far, by what they went to. */
export interface TimeSpent {
  /** Forward and backward pass in ONNX Runtime. */
  readonly graph: number;
  /** Clipping and AdamW. */
  readonly optimizer: number;
  /** Making batches and dropout masks. */
  readonly feeds: number;
}

/** Owns the weights under training and the compiled step, and makes one update after another. */
export class Updater {
  readonly #request: TrainRequest;
  readonly #plan: TrainingPlan;
  readonly #masks = new MaskBuffers();
  /** The model whose output is answers. */
  readonly #model: Model;
  readonly #feeder: BatchFeeder;
  readonly #motion: Motion;
  #trained: readonly Trained[] = [];
  #compiled: Compiled | undefined;
  #spent: TimeSpent = { graph: 0, optimizer: 0, feeds: 0 };

  constructor(request: TrainRequest, plan: TrainingPlan) {
    this.#request = request;
    this.#plan = plan;
    this.#model = request.task.answering(request.model);
    this.#feeder = new BatchFeeder(this.#model.info, { ...request, vary: request.task.varying?.(request.model) });
    this.#motion = motionOf(request.model, request.options);
  }

  get trained(): readonly Trained[] {
    return this.#trained;
  }

  get spent(): TimeSpent {
    return this.#spent;
  }

  rate(step: number): number {
    const { learningRate, schedule } = this.#request.options;
    return learningRate * rateAt(schedule, step, this.#plan.totalSteps);
  }

  /**
   * Compiles the phase that an update (0-based) belongs to, where it is another one than before. Parameters that both
   * phases have keep their values and moments.
   */
  async enter(step: number): Promise<Compiled> {
    const phase = this.#phaseOf(step);
    if (this.#compiled?.phase === phase) return this.#compiled;
    await this.release();
    const { phases, options, threads, seed, profilePrefix } = this.#request;
    const model = this.#model;
    const losses = phases[phase]?.losses ?? [];
    const built = buildStep(model, { losses, dropout: options.dropout, frozen: this.#motion.frozen });
    if (built.parameters.every(({ auxiliary }) => auxiliary)) throw nothingMoves(options);
    const program = await cpuEngine.compile(built.graph, {
      threads,
      optimization: 'all',
      memory: 'pooled',
      training: true,
      ...(profilePrefix === undefined ? {} : { profilePrefix }),
    });
    const memory = trainingMemory(built.parameters);
    this.#trained = trainedArrays({ graph: model.graph, before: this.#trained, seed }, built.parameters, memory);
    this.#compiled = {
      phase,
      step: built,
      program,
      memory,
      runner: new GradientRunner(built, program, memory),
      weights: weightFeeds(built.graph, model, this.#trained),
    };
    return this.#compiled;
  }

  /** One update (0-based): gradients of its batches, clipping, AdamW. Numbers that are none move no weight. */
  async update(step: number): Promise<{ readonly outcome: Outcome; readonly size: UpdateSize }> {
    const compiled = await this.enter(step);
    const batches = this.#plan.update(step);
    const size = sizeOfUpdate(batches, this.#feeder.answers);
    const { loss, terms } = await this.#gradients(compiled, [...batches.entries()], size, step);
    const started = performance.now();
    const norm = globalNorm(compiled.memory, compiled.runner.gradients);
    const outcome = { loss, terms, norm };
    if (isFiniteOutcome(outcome)) this.#apply(compiled, clipScale(norm, this.#request.options.clip), step);
    this.#count('optimizer', started);
    return { outcome, size };
  }

  /** What one batch of an update comes to, with the weights of now or those that training began with. Nothing is moved. */
  async replay(step: number, [pass, batch]: readonly [number, Batch], from: 'now' | 'start'): Promise<Outcome> {
    const compiled = await this.enter(step);
    const weights = from === 'now' ? compiled.weights : this.#startOf(compiled.step);
    const size = sizeOfUpdate([batch], this.#feeder.answers);
    const outcome = await this.#gradients({ ...compiled, weights }, [[pass, batch]], size, step);
    return { ...outcome, norm: globalNorm(compiled.memory, compiled.runner.gradients) };
  }

  /** The weights of a step as they were before any update. */
  #startOf({ graph, parameters }: TrainingStep): Compiled['weights'] {
    const { model, seed } = this.#request;
    const drawn = parameters.filter(({ auxiliary }) => auxiliary);
    const arrays = trainedArrays({ graph: model.graph, before: [], seed }, drawn, trainingMemory(drawn));
    return weightFeeds(graph, model, arrays);
  }

  async release(): Promise<void> {
    await this.#compiled?.program.release();
    this.#compiled = undefined;
  }

  #phaseOf(step: number): number {
    const { phases } = this.#request;
    const found = phases.findIndex(({ until }) => step < Math.round(until * this.#plan.totalSteps));
    return found < 0 ? phases.length - 1 : found;
  }

  async #gradients(
    compiled: Compiled,
    batches: readonly (readonly [number, Batch])[],
    size: UpdateSize,
    step: number,
  ): Promise<Pick<Outcome, 'loss' | 'terms'>> {
    const { runner, step: built, weights } = compiled;
    const { seed, signal } = this.#request;
    runner.reset();
    let loss = 0;
    const terms: Record<string, number> = {};
    for (const [pass, batch] of batches) {
      signal.throwIfAborted();
      const started = performance.now();
      const feeds = this.#feeder.feeds(built.inputs, { batch, size, turn: [step, pass] });
      const symbols = symbolsIn(this.#model.graph, feeds);
      const masks = this.#masks.draw(built.masks, symbols, stream(seed, 'dropout', step, pass));
      const fed = this.#count('feeds', started);
      const one = await runner.run({ ...weights, ...feeds, ...masks });
      loss += one.loss;
      for (const [name, term] of Object.entries(one.terms)) terms[name] = (terms[name] ?? 0) + term;
      this.#count('graph', fed);
    }
    return { loss, terms };
  }

  /** Adds the time since `started` to a kind of work; gives the time now. */
  #count(kind: keyof TimeSpent, started: number): number {
    const now = performance.now();
    this.#spent = { ...this.#spent, [kind]: this.#spent[kind] + (now - started) / 1000 };
    return now;
  }

  #apply({ runner, memory }: Compiled, scale: number, step: number): void {
    const { options } = this.#request;
    const rate = this.rate(step);
    this.#trained.forEach(({ name, dims, data, moments }, i) => {
      const gradient = runner.gradients[i];
      if (gradient === undefined) throw new Error(`no gradient for '${name}'`);
      adamwStep(memory, data, moments, gradient, {
        rate: rate * (this.#motion.factors.get(name) ?? 1),
        decay: dims.length < 2 ? 0 : options.weightDecay,
        beta1: options.beta1,
        beta2: options.beta2,
        epsilon: options.epsilon,
        step: step + 1,
        scale,
      });
    });
  }
}
