import type { Batch } from '../../data/batches.ts';
import type { Graph } from '../../graph/graph.ts';
import { adamwStep, clipScale, globalNorm } from '../adamw.ts';
import type { Encoded } from '../encoded.ts';
import type { Engine, Feeds, Program } from '../engine.ts';
import { GradientRunner } from '../gradients.ts';
import { HeldZeros } from '../held.ts';
import type { KernelMemory } from '../kernels/memory.ts';
import { type LossScale, scaleFeed, unscaled, unscaledArrays } from '../loss-scale.ts';
import { MaskBuffers } from '../masks.ts';
import { mixedStep } from '../mixed-step.ts';
import type { TrainingStep } from '../step.ts';
import type { UpdateSize } from '../step-batch.ts';
import type { TrainRequest } from '../train-request.ts';
import type { TrainingPlan } from '../training-plan.ts';
import { type Trained, trainedArrays, trainingMemory, weightArrays } from '../training-state.ts';
import {
  type Evaluation,
  isFiniteOutcome,
  type Outcome,
  type See,
  type Since,
  type TimeSpent,
  type Updater,
} from '../updater.ts';
import { weightFeeds } from '../weight-feeds.ts';
import { LossSum, Stopwatch, type Turn, UpdateSource } from './source.ts';

interface Compiled {
  readonly phase: number;
  readonly step: TrainingStep;
  readonly program: Program;
  /** The same in float32, where the program is not: opened when it is asked for. */
  exact: Program | undefined;
  readonly memory: KernelMemory;
  readonly runner: GradientRunner;
  /** Weights under training and frozen ones, for the inputs of the step. */
  readonly weights: Feeds;
}

/** Fetches gradients and moves weights by kernels over arrays of the host. */
export class HostUpdater implements Updater {
  readonly #engine: Engine;
  readonly #source: UpdateSource;
  readonly #masks = new MaskBuffers();
  readonly #held: HeldZeros;
  readonly #watch = new Stopwatch();
  #trained: readonly Trained[] = [];
  #compiled: Compiled | undefined;

  constructor(engine: Engine, request: TrainRequest, plan: TrainingPlan) {
    this.#engine = engine;
    this.#source = new UpdateSource(request, plan);
    this.#held = new HeldZeros(request.hook?.holds);
  }

  get trained(): readonly Trained[] {
    return this.#trained;
  }

  get spent(): TimeSpent {
    return this.#watch.spent;
  }

  get step(): TrainingStep | undefined {
    return this.#compiled?.step;
  }

  rate(step: number): number {
    return this.#source.rate(step);
  }

  replace(others: ReadonlyMap<number, Encoded>): void {
    this.#source.replace(others);
  }

  async enter(step: number): Promise<void> {
    await this.#entered(step);
  }

  async #entered(step: number): Promise<Compiled> {
    const phase = this.#source.phaseOf(step);
    if (this.#compiled?.phase === phase) return this.#compiled;
    await this.release();
    const { seed } = this.#source.request;
    const { graph } = this.#source.model;
    const built = this.#source.stepOf(phase);
    const { isMixed } = this.#source;
    const program = await this.#opened(isMixed ? mixedStep(built, this.#engine) : built);
    const memory = trainingMemory(built.parameters);
    this.#trained = trainedArrays({ graph, before: this.#trained, seed }, built.parameters, memory);
    this.#compiled = {
      phase,
      step: built,
      program,
      exact: isMixed ? undefined : program,
      memory,
      runner: new GradientRunner(built, program, memory),
      weights: weightFeeds(built.graph, this.#source.model, this.#trained),
    };
    return this.#compiled;
  }

  #opened({ graph }: TrainingStep): Promise<Program> {
    const { threads, profilePrefix, options } = this.#source.request;
    return this.#engine.compile(graph, {
      ...{ threads, optimization: 'all', memory: 'pooled', training: true, repeats: options.recompute === true },
      ...(profilePrefix === undefined ? {} : { profilePrefix }),
    });
  }

  async update(
    step: number,
    scale: LossScale = unscaled,
    see?: See,
  ): Promise<{ readonly outcome: Outcome; readonly size: UpdateSize }> {
    const compiled = await this.#entered(step);
    const { size, turns } = this.#source.turns(step);
    const { loss, terms } = await this.#gradients(compiled, turns, scale);
    const started = performance.now();
    const norm = globalNorm(compiled.memory, compiled.runner.gradients) / scale.factor;
    const outcome = { loss, terms, norm };
    if (isFiniteOutcome(outcome)) {
      if (see !== undefined) this.#show(compiled, scale, see);
      this.#apply(compiled, norm, step, scale);
    }
    this.#watch.count('optimizer', started);
    return { outcome, size };
  }

  async replay(step: number, batch: readonly [number, Batch], since: Since): Promise<Outcome> {
    const compiled = await this.#entered(step);
    const { graph, parameters } = compiled.step;
    const weights = since === 'now' ? compiled.weights : this.#source.startOf(graph, parameters);
    const turn = this.#source.alone(step, batch);
    compiled.exact ??= await this.#opened(compiled.step);
    const { exact } = compiled;
    const { loss, terms } = await this.#gradients({ ...compiled, weights, program: exact }, [turn], unscaled);
    return { loss, terms, norm: globalNorm(compiled.memory, compiled.runner.gradients) };
  }

  async read(): Promise<void> {}

  async write(): Promise<void> {}

  async hold(): Promise<void> {
    this.#held.remember(this.#trained);
  }

  async evaluation(graph: Graph, program: Program): Promise<Evaluation> {
    const now = weightFeeds(graph, this.#source.model, this.#trained);
    const { parameters } = this.#compiled?.step ?? {};
    const weightsOf = (since: Since): Feeds => (since === 'now' ? now : this.#source.startOf(graph, parameters));
    return {
      run: (feeds, since) => program.run({ ...weightsOf(since), ...feeds }),
      weights: async (since) => weightsOf(since),
    };
  }

  settle(): Promise<void> {
    return this.release();
  }

  async release(): Promise<void> {
    await this.#compiled?.program.release();
    await this.#compiled?.exact?.release();
    this.#compiled = undefined;
  }

  async #gradients(
    { runner, step, weights, program }: Compiled,
    turns: readonly Turn[],
    scale: LossScale,
  ): Promise<LossSum> {
    runner.reset();
    const sum = new LossSum();
    for (const turn of turns) {
      this.#source.request.signal.throwIfAborted();
      const started = performance.now();
      const feeds = this.#source.feeds(step, turn, this.#masks);
      const fed = this.#watch.count('feeds', started);
      sum.add(await runner.run({ ...weights, ...feeds, ...scaleFeed(step, scale) }, program));
      this.#watch.count('graph', fed);
    }
    return sum;
  }

  #show({ step, runner }: Compiled, scale: LossScale, see: See): void {
    const shown = { sees: this.#source.request.hook?.gradients?.sees ?? [] };
    const gradients = step.parameters.map((one, i) => ({ ...one, data: runner.gradients[i] ?? new Float32Array() }));
    see(weightArrays(this.#trained, shown), unscaledArrays(weightArrays(gradients, shown), scale));
  }

  #apply({ runner, memory }: Compiled, norm: number, step: number, { factor, leftOut }: LossScale): void {
    const { options } = this.#source.request;
    const { factors } = this.#source.motion;
    const rate = this.rate(step);
    const scale = clipScale(norm, options.clip) / factor;
    this.#trained.forEach(({ name, dims, data, moments }, i) => {
      const gradient = runner.gradients[i];
      if (gradient === undefined) throw new Error(`no gradient for '${name}'`);
      adamwStep(memory, data, moments, gradient, {
        rate: rate * (factors.get(name) ?? 1),
        decay: dims.length < 2 ? 0 : options.weightDecay,
        beta1: options.beta1,
        beta2: options.beta2,
        epsilon: options.epsilon,
        step: step + 1 - leftOut,
        scale,
      });
    });
    this.#held.apply(this.#trained);
  }
}
