import { lengthsOf } from '../data/lengths.ts';
import { stageError, type UserError } from '../ground/errors.ts';
import type { TrainingSummary } from '../ground/reported/training.ts';
import { expectFinite } from '../models/finite.ts';
import type { Model } from '../models/model.ts';
import { type Divergence, divergenceOf, divergenceText } from './divergence.ts';
import type { Program } from './engine.ts';
import { cpuEngine } from './engines/cpu/engine.ts';
import { OwnTexts } from './generation/own-texts.ts';
import { canShrink, firstScale, scaleAfter } from './loss-scale.ts';
import { Foresight } from './memory/foresight.ts';
import { lackOf } from './memory/lack.ts';
import { standardized } from './standardized.ts';
import { buildEvaluation } from './step.ts';
import { pointOf, withLoss } from './stretch.ts';
import type { TrainRequest } from './train-request.ts';
import { planTraining, type TrainingPlan } from './training-plan.ts';
import {
  freshProgress,
  lastValidation,
  restore,
  savedProgress,
  snapshot,
  type TrainingProgress,
  weightArrays,
  withWeights,
} from './training-state.ts';
import { summaryOf } from './training-summary.ts';
import { isFiniteOutcome, type Outcome, type Portion, type See, type Updater } from './updater.ts';
import { openUpdater } from './updaters/index.ts';
import { isBest, isNumber, textsOfValidation, type Validation, validate } from './validate.ts';

/** At most this much work is lost to a crash. */
const SECONDS_BETWEEN_CHECKPOINTS = 12;
const MILLISECONDS_BETWEEN_REPORTS = 100;
const CURVE_POINTS_PER_EPOCH = 8;

const secondsSince = (start: number): number => (performance.now() - start) / 1000;

/** One training run: where it stands, and what it does next. */
class TrainingRun {
  readonly #request: TrainRequest;
  readonly #plan: TrainingPlan;
  readonly #updater: Updater;
  readonly #foresight: Foresight;
  readonly #ownTexts: OwnTexts | undefined;
  #progress: TrainingProgress;
  #evaluation: Program | undefined;
  #saved = performance.now();
  #reported = 0;

  constructor(request: TrainRequest) {
    this.#request = request;
    this.#plan = planTraining(lengthsOf(request.examples.encoded), request.options, request.seed);
    this.#updater = openUpdater(request, this.#plan);
    this.#foresight = new Foresight(request, this.#plan);
    const { written } = request;
    this.#ownTexts = written === undefined ? undefined : new OwnTexts(request, this.#plan, written);
    this.#progress = { ...freshProgress, scale: this.#isMixed ? firstScale : freshProgress.scale };
  }

  get #isMixed(): boolean {
    return this.#request.options.precision === 'fp16';
  }

  async run(): Promise<{ readonly model: Model; readonly summary: TrainingSummary }> {
    const { signal } = this.#request;
    signal.throwIfAborted();
    expectFinite(this.#request.model.graph);
    await this.#resume();
    await this.#startHook();
    try {
      while (!this.#done()) {
        signal.throwIfAborted();
        if (this.#epochEnds()) await this.#finishEpoch();
        else await this.#update();
        if (secondsSince(this.#saved) > SECONDS_BETWEEN_CHECKPOINTS) await this.#save();
      }
    } catch (error) {
      // Only here is it certain that arrays and progress belong together.
      if (signal.aborted) await this.#save();
      // An update that did not fit has moved nothing.
      else if (lackOf(error) !== undefined && this.#progress.step > 0) await this.#save().catch(() => undefined);
      throw error;
    }
    await this.#updater.read('weights');
    // What runs held is given back before the weights are copied once more.
    await this.release();
    return {
      model: this.#result(),
      summary: summaryOf(this.#request, this.#plan, this.#progress, this.#updater.trained),
    };
  }

  async release(): Promise<void> {
    await this.#updater.release();
    await this.#evaluation?.release();
    await this.#ownTexts?.release();
  }

  /** What went wrong, for its user. */
  explained(error: unknown): unknown {
    return this.#foresight.explained(error);
  }

  get #moving() {
    return { trained: this.#updater.trained, state: this.#request.hook?.state };
  }

  /** Continues from the newest checkpoint where there is one that fits. */
  async #resume(): Promise<void> {
    const saved = await this.#request.checkpoints.load();
    const progress = saved === undefined ? undefined : savedProgress(saved.meta);
    if (saved !== undefined && progress !== undefined) {
      await this.#updater.enter(Math.max(0, progress.step - 1));
      if (restore(saved, this.#moving)) {
        await this.#updater.write('everything');
        this.#progress = progress;
        return;
      }
    }
    await this.#updater.enter(0);
  }

  async #save(): Promise<void> {
    await this.#updater.read('everything');
    const { meta, data } = snapshot(this.#progress, this.#moving);
    await this.#request.checkpoints.save(meta, data);
    this.#saved = performance.now();
  }

  #epochEnds(): boolean {
    const { step, validated } = this.#progress;
    const whole = step % this.#plan.stepsPerEpoch === 0 || step === this.#plan.totalSteps;
    return step > 0 && whole && validated <= this.#plan.epochOf(step - 1);
  }

  #done(): boolean {
    if (this.#epochEnds()) return false;
    const { step, validated, best } = this.#progress;
    const { patience } = this.#request.options;
    const stale = patience !== undefined && best !== null && validated - best.epoch >= patience;
    return step >= this.#plan.totalSteps || (stale && step % this.#plan.stepsPerEpoch === 0);
  }

  async #update(): Promise<void> {
    const started = performance.now();
    const { step, scale } = this.#progress;
    await this.#updater.enter(step);
    if (this.#ownTexts !== undefined) this.#updater.replace(await this.#ownTexts.of(step, this.#updater));
    this.#foresight.look(this.#updater.step, step);
    const { outcome, size } = await this.#updater.update(step, scale, this.#watchOf(step + 1));
    const moved = isFiniteOutcome(outcome);
    if (!moved) await this.#expectLeftOut(outcome);
    await this.#callHook(step + 1);
    const { open, tokens, seconds } = this.#progress;
    this.#progress = {
      ...this.#progress,
      step: step + 1,
      ...(this.#isMixed ? { scale: scaleAfter(scale, moved) } : {}),
      open: withLoss(open, outcome),
      tokens: tokens + size.tokens,
      seconds: seconds + secondsSince(started),
    };
    const every = Math.ceil(this.#plan.stepsPerEpoch / CURVE_POINTS_PER_EPOCH);
    if (this.#progress.open.steps >= every && !this.#epochEnds()) this.#drawPoint();
    this.#report(outcome.loss);
  }

  /** Who looks at the gradients of an update. */
  #watchOf(step: number): See | undefined {
    const watch = this.#request.hook?.gradients;
    if (watch?.wants(step, this.#plan.totalSteps) !== true) return undefined;
    return (weights, gradients) => watch.see(step, weights, gradients);
  }

  async #startHook(): Promise<void> {
    const { hook } = this.#request;
    if (hook === undefined) return;
    hook.start?.(this.#progress.step, this.#plan.totalSteps, weightArrays(this.#updater.trained, hook));
    await this.#updater.hold();
  }

  async #callHook(step: number): Promise<void> {
    const { hook } = this.#request;
    const { totalSteps } = this.#plan;
    if (hook === undefined || hook.wants?.(step, totalSteps) === false) return;
    const seen: Portion = hook.sees ?? 'weights';
    await this.#updater.read(seen);
    await hook.afterUpdate(step, totalSteps, weightArrays(this.#updater.trained, hook));
    await this.#updater.write(seen);
    await this.#updater.hold();
  }

  /** Closes the open stretch of the curve; with the score where an epoch ends. */
  #drawPoint(score?: number): void {
    const point = pointOf(this.#progress, this.#plan.stepsPerEpoch, score);
    this.#progress = { ...this.#progress, curve: [...this.#progress.curve, point], open: freshProgress.open };
  }

  #report(loss: number): void {
    const { step, tokens, seconds } = this.#progress;
    const now = performance.now();
    if (now - this.#reported < MILLISECONDS_BETWEEN_REPORTS && step < this.#plan.totalSteps) return;
    this.#reported = now;
    this.#request.progress({
      done: step,
      total: this.#plan.totalSteps,
      unit: 'steps',
      phase: `epoch ${this.#plan.epochOf(step - 1) + 1}/${this.#plan.epochs}`,
      ...(Number.isFinite(loss) ? { loss } : {}),
      tokensPerSecond: tokens / seconds,
      ...lastValidation(this.#progress, this.#request.task.name),
    });
  }

  /** Validates the weights and keeps a copy of them where they are the best so far. */
  async #finishEpoch(): Promise<void> {
    const epoch = this.#plan.epochOf(this.#progress.step - 1) + 1;
    // No update follows, so that what updates held is free for the answers.
    if (this.#progress.step === this.#plan.totalSteps) await this.#updater.settle();
    const scored = await this.#validate();
    const { best } = this.#progress;
    this.#drawPoint(scored !== undefined && isNumber(scored) ? scored.score : undefined);
    const better = scored !== undefined && isBest(this.#request.task.name, scored, best);
    if (better) await this.#updater.read('weights');
    if (better) for (const one of this.#updater.trained) if (!one.auxiliary) one.best.set(one.data);
    this.#progress = { ...this.#progress, validated: epoch, best: better ? { epoch, ...scored } : best };
  }

  async #validate(): Promise<Validation | undefined> {
    const { model, task, validation, options, threads, signal, faked, gates, engine = cpuEngine } = this.#request;
    const encoded = validation.encoded.slice(0, options.validationLimit);
    if (encoded.length === 0) return undefined;
    const answering = task.answering(model);
    const graph = buildEvaluation(answering, { faked, gates: gates?.all });
    this.#evaluation ??= await engine.compile(graph, { threads, optimization: 'all', memory: 'pooled' });
    return validate(await this.#updater.evaluation(graph, this.#evaluation), {
      ...{ task, model: answering.info, examples: { ...validation, encoded }, signal },
      texts: textsOfValidation(answering),
      after: `step ${this.#progress.step} of ${this.#plan.totalSteps}`,
    });
  }

  /** An update that only float16 is too narrow for is left out, as long as gradients can be made smaller; others end training. */
  async #expectLeftOut(outcome: Outcome): Promise<void> {
    const { step, scale } = this.#progress;
    const mayShrink = this.#isMixed && canShrink(scale);
    if (mayShrink && Number.isFinite(outcome.loss)) return;
    await this.#updater.read('everything');
    const divergence = await divergenceOf({
      ...{ outcome, precision: this.#request.options.precision, trained: this.#updater.trained },
      batches: this.#plan.update(step),
      replay: (batch, from) => this.#updater.replay(step, batch, from),
    });
    if (mayShrink && divergence.onlyInFloat16 === true) return;
    throw await this.#diverged(divergence);
  }

  /** Why the step that comes next gives no numbers. What is left of the weights is kept, unless they are none either. */
  async #diverged(divergence: Divergence): Promise<UserError> {
    const { step } = this.#progress;
    const { examples, checkpoints } = this.#request;
    if (divergence.weight === undefined) await this.#save();
    const text = divergenceText(divergence, {
      at: `step ${step + 1} of ${this.#plan.totalSteps}, epoch ${this.#plan.epochOf(step) + 1}`,
      isFirst: step === 0,
      rate: this.#updater.rate(step),
      called: (row) => examples.called?.(row) ?? `text ${row + 1}`,
      folder: checkpoints.folder,
    });
    return stageError(text, { code: 'diverged' });
  }

  #result(): Model {
    const { model, options } = this.#request;
    const useBest = options.keep === 'best' && this.#progress.best !== null;
    return withWeights(model, this.#updater.trained, ({ best, data }) => (useBest ? best : data));
  }
}

/**
 * Trains a model: the one loop behind train, distill and recovery after pruning. The result is a function of the request
 * alone: an interrupted run that finds its checkpoint ends with the same bytes as an uninterrupted one.
 */
export const train = async (
  request: TrainRequest,
): Promise<{ readonly model: Model; readonly summary: TrainingSummary }> => {
  const { restore, standard } = standardized(request);
  const run = new TrainingRun(standard);
  try {
    const { model, summary } = await run.run();
    return { model: restore(model), summary };
  } catch (error) {
    throw run.explained(error);
  } finally {
    await run.release();
  }
};
