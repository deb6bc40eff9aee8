import type { Batch } from '../../data/batches.ts';
import { type Graph, value } from '../../graph/graph.ts';
import { joinedFloats } from '../../ground/joined.ts';
import type { Engine, Program } from '../engine.ts';
import { HeldZeros } from '../held.ts';
import { type LossScale, unscaled, unscaledArrays } from '../loss-scale.ts';
import { mixedStep } from '../mixed-step.ts';
import { maskOf, momentsOf } from '../optimizer/emit-adamw.ts';
import type { Slab } from '../optimizer/slabs.ts';
import type { TrainingStep } from '../step.ts';
import type { UpdateSize } from '../step-batch.ts';
import type { TrainRequest, WeightArrays } from '../train-request.ts';
import type { TrainingPlan } from '../training-plan.ts';
import { type Trained, trainedArrays, weightArrays } from '../training-state.ts';
import {
  type Evaluation,
  isFiniteOutcome,
  type Outcome,
  type Portion,
  type See,
  type Since,
  type TimeSpent,
  type Updater,
} from '../updater.ts';
import { fedOf, weightFeeds } from '../weight-feeds.ts';
import { AheadFeeds } from './ahead.ts';
import { Resident } from './resident.ts';
import { openRunner, type UpdateRunner } from './runner.ts';
import { LossSum, plainMemory, Stopwatch, type Turn, UpdateSource } from './source.ts';

interface Compiled {
  readonly phase: number;
  readonly step: TrainingStep;
  readonly runner: UpdateRunner;
  /** The same in float32, where the runner is not: opened when it is asked for. */
  exact: UpdateRunner | undefined;
  readonly feeds: AheadFeeds;
}

const zerosLike = ({ dims, data }: Trained) => fedOf({ dims, data: new Float32Array(data.length) });

/** Where moments of slabs are on the device, and the arrays of the host that they are made of. */
const momentsIn = (slabs: readonly Slab[], trained: readonly Trained[]) => {
  const moments = new Map(trained.map((one) => [one.name, one.moments]));
  return slabs.flatMap((slab) => {
    const own = slab.parameters.flatMap(({ name }) => moments.get(name) ?? []);
    const { first, second } = momentsOf(slab);
    const { dims } = slab;
    return [
      { name: first, dims, parts: own.map((one) => one.first) },
      { name: second, dims, parts: own.map((one) => one.second) },
    ];
  });
};

/** Moves weights on the device: they and their moments stay in buffers, and only losses and the norm come back. */
export class DeviceUpdater implements Updater {
  readonly #engine: Engine;
  readonly #source: UpdateSource;
  readonly #held: HeldZeros;
  readonly #watch = new Stopwatch();
  readonly #resident: Resident;
  #trained: readonly Trained[] = [];
  /** What has moments on the device, now or before the programs were given back. */
  #slabs: readonly Slab[] = [];
  #compiled: Compiled | undefined;

  constructor(engine: Engine, request: TrainRequest, plan: TrainingPlan) {
    this.#engine = engine;
    this.#source = new UpdateSource(request, plan);
    this.#held = new HeldZeros(request.hook?.holds);
    this.#resident = new Resident(engine);
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

  replace(): void {
    // What comes next is made ready while the device works: texts that its weights write come too late.
    throw new Error('a student writes texts on the CPU alone');
  }

  async enter(step: number): Promise<void> {
    await this.#entered(step);
  }

  async #entered(step: number): Promise<Compiled> {
    const phase = this.#source.phaseOf(step);
    if (this.#compiled?.phase === phase) return this.#compiled;
    await this.read('everything');
    await this.release();
    const { seed } = this.#source.request;
    const built = this.#source.stepOf(phase);
    const before = { graph: this.#source.model.graph, before: this.#trained, seed };
    this.#trained = trainedArrays(before, built.parameters, plainMemory);
    const { isMixed } = this.#source;
    const runner = await this.#opened(isMixed ? mixedStep(built, this.#engine) : built);
    const feeds = new AheadFeeds(this.#source, built, runner.pass);
    this.#compiled = { phase, step: built, runner, exact: isMixed ? undefined : runner, feeds };
    this.#slabs = runner.slabs;
    await this.#place(this.#compiled);
    return this.#compiled;
  }

  #opened(step: TrainingStep): Promise<UpdateRunner> {
    return openRunner(this.#engine, this.#source, step, {
      held: this.#held.names,
      watched: new Set(this.#watched),
    });
  }

  /** Puts weights, moments, masks and sums where the programs find them. */
  async #place({ runner, step }: Compiled): Promise<void> {
    const weights = weightFeeds(step.graph, this.#source.model, this.#trained);
    for (const [name, tensor] of Object.entries(weights)) await this.#resident.put(name, tensor);
    const watched = new Set(this.#watched);
    for (const one of this.#trained) {
      const sums = runner.sumsOf(one.name);
      const gradients = watched.has(one.name) ? [runner.gradientOf(one.name)] : [];
      for (const sum of new Set([...sums, ...gradients])) await this.#resident.put(sum, zerosLike(one));
    }
    await this.#placeMoments();
    await this.#placeMasks();
    runner.bind(this.#resident);
  }

  async #placeMoments(): Promise<void> {
    for (const { name, dims, parts } of momentsIn(this.#slabs, this.#trained)) {
      const [first, ...rest] = parts;
      const data = first !== undefined && rest.length === 0 ? first : joinedFloats(parts);
      await this.#resident.put(name, fedOf({ dims, data }));
    }
  }

  async #placeMasks(): Promise<void> {
    for (const { name, dims, data } of this.#trained) {
      if (!this.#held.names.has(name)) continue;
      await this.#resident.put(maskOf(name), fedOf({ dims, data: this.#held.mask(name, data.length) }));
    }
  }

  async update(
    step: number,
    scale: LossScale = unscaled,
    see?: See,
  ): Promise<{ readonly outcome: Outcome; readonly size: UpdateSize }> {
    const compiled = await this.#entered(step);
    const { size, turns } = this.#source.turns(step);
    const shown = { sees: see === undefined ? [] : this.#watched };
    // What they are before the update is gone behind it.
    await this.read(shown.sees);
    const outcome = await this.#run(compiled, turns, scale);
    if (see !== undefined && isFiniteOutcome(outcome)) {
      see(weightArrays(this.#trained, shown), unscaledArrays(await this.#gradients(compiled, shown), scale));
    }
    return { outcome, size };
  }

  get #watched(): readonly string[] {
    return this.#source.request.hook?.gradients?.sees ?? [];
  }

  async #gradients({ runner }: Compiled, shown: { readonly sees: readonly string[] }): Promise<WeightArrays> {
    const arrays = weightArrays(
      this.#trained.map(({ data, ...one }) => ({ ...one, data: new Float32Array(data.length) })),
      shown,
    );
    for (const [name, data] of arrays) await this.#resident.read(runner.gradientOf(value(name)), [data]);
    return arrays;
  }

  /** Weights move where gradients have a scale. */
  async #run({ runner, feeds }: Compiled, turns: readonly Turn[], scale?: LossScale): Promise<Outcome> {
    const moves = scale !== undefined;
    const sum = new LossSum();
    let norm = Number.NaN;
    for (const [i, turn] of turns.entries()) {
      this.#source.request.signal.throwIfAborted();
      const started = performance.now();
      const fed = await feeds.take(turn);
      const running = this.#watch.count('feeds', started);
      const last = i === turns.length - 1;
      const rate = this.rate(turn.step);
      const run = runner.run(fed, { turn, last, rate, scale: scale ?? unscaled, sum, moves });
      if (moves) feeds.prepare(last ? this.#nextTurn(turn) : turns[i + 1]);
      const prepared = this.#watch.count('feeds', running);
      norm = await run;
      this.#watch.count('graph', prepared);
    }
    if (moves) this.#resident.forget();
    return { loss: sum.loss, terms: sum.terms, norm };
  }

  /** What will be fed after an update, where the same graph goes on. */
  #nextTurn({ step }: Turn): Turn | undefined {
    const next = step + 1;
    const goesOn = next < this.#source.plan.totalSteps && this.#source.phaseOf(next) === this.#compiled?.phase;
    return goesOn ? this.#source.turns(next).turns[0] : undefined;
  }

  async replay(step: number, batch: readonly [number, Batch], since: Since): Promise<Outcome> {
    const compiled = await this.#entered(step);
    const turn = this.#source.alone(step, batch);
    const runner = await this.#exact(compiled);
    const run = (): Promise<Outcome> => this.#run({ ...compiled, runner }, [turn]);
    if (since === 'now') return run();
    const { graph, parameters } = compiled.step;
    return this.#resident.instead(this.#source.startOf(graph, parameters), runner.programs, run);
  }

  async #exact(compiled: Compiled): Promise<UpdateRunner> {
    if (compiled.exact !== undefined) return compiled.exact;
    compiled.exact = await this.#opened(compiled.step);
    compiled.exact.bind(this.#resident);
    return compiled.exact;
  }

  async read(what: Portion): Promise<void> {
    const names = Array.isArray(what) ? new Set<string>(what) : undefined;
    for (const { name, data } of this.#trained) {
      if (names?.has(name) !== false) await this.#resident.read(name, [data]);
    }
    if (what !== 'everything') return;
    for (const { name, parts } of momentsIn(this.#slabs, this.#trained)) await this.#resident.read(name, parts);
  }

  async write(what: Portion): Promise<void> {
    const names = Array.isArray(what) ? new Set<string>(what) : undefined;
    for (const one of this.#trained) {
      if (names?.has(one.name) !== false) await this.#resident.put(one.name, fedOf(one));
    }
    if (what === 'everything') await this.#placeMoments();
  }

  async hold(): Promise<void> {
    if (this.#held.names.size === 0) return;
    await this.read([...this.#held.names]);
    this.#held.remember(this.#trained);
    await this.#placeMasks();
  }

  async evaluation(graph: Graph, program: Program): Promise<Evaluation> {
    const { parameters } = this.#compiled?.step ?? {};
    const start = () => this.#source.startOf(graph, parameters);
    for (const [name, tensor] of Object.entries(start())) {
      if (!this.#resident.has(name)) await this.#resident.put(name, tensor);
    }
    this.#resident.bind(program, graph);
    return {
      run: (feeds, since) =>
        since === 'now'
          ? program.run(feeds)
          : this.#resident.instead(start(), [{ program, graph }], () => program.run(feeds)),
      weights: async (since) => {
        if (since === 'start') return start();
        await this.read('weights');
        return weightFeeds(graph, this.#source.model, this.#trained);
      },
    };
  }

  async settle(): Promise<void> {
    await this.#compiled?.runner.release();
    await this.#compiled?.exact?.release();
    await this.#compiled?.feeds.release();
    this.#compiled = undefined;
  }

  async release(): Promise<void> {
    await this.settle();
    this.#resident.release();
  }
}
