import { lengthsOf } from '../../data/lengths.ts';
import { bytes } from '../../ground/bytes.ts';
import { stageError } from '../../ground/errors.ts';
import { answersAbout, askedIn } from '../answers.ts';
import { cpuEngine } from '../engines/cpu/engine.ts';
import { fitted } from '../feeds.ts';
import { buildEvaluation, type TrainingStep } from '../step.ts';
import type { TrainRequest } from '../train-request.ts';
import type { TrainingPlan } from '../training-plan.ts';
import { textsOfValidation } from '../validate.ts';
import { lackOf, memoryError } from './lack.ts';
import { answeringOf, BESIDE, copiesOf, frozenBytes, type Pass, parameterBytes, takenBy } from './need.ts';
import { fittingSplit } from './split.ts';

/** So many times more than there is cannot be an error of the estimate. */
const BEYOND_DOUBT = 2;

/** What passes of a phase take, by their texts. */
interface Phase {
  readonly step: TrainingStep;
  /** The longest pass. */
  readonly pass: Pass;
  readonly need: (texts: number) => number;
}

/** Knows what a training run needs, and tells its user what to write where there is less. */
export class Foresight {
  readonly #request: TrainRequest;
  readonly #plan: TrainingPlan;
  #phase: Phase | undefined;

  constructor(request: TrainRequest, plan: TrainingPlan) {
    this.#request = request;
    this.#plan = plan;
  }

  /** Looks at a step that was compiled, before the first update by it. Throws where there is far too little memory for it. */
  look(step: TrainingStep | undefined, update: number): void {
    if (step === undefined || step === this.#phase?.step) return;
    const pass = this.#longest(update);
    this.#phase = { step, pass, need: this.#needOf(step, pass) };
    const needed = this.#phase.need(pass.texts);
    const { memory } = this.#request;
    if (this.#ownMemory === undefined) memory?.foresee({ bytes: needed, advice: this.#advice(memory.bytes, 1) });
    const room = this.#room;
    if (room !== undefined && needed > BEYOND_DOUBT * room) throw memoryError('it was not begun');
  }

  /** Why memory did not suffice, with what would; errors of another kind as they are. */
  explained(error: unknown): unknown {
    const lack = lackOf(error);
    if (lack === undefined) return error;
    const there = [lack.reason, ...this.#there()].join('; ');
    const message = `training does not fit into memory (${there}): ${this.#advice(this.#room, lack.times)}`;
    return stageError(message, { code: 'memory', cause: error });
  }

  get #ownMemory() {
    return (this.#request.engine ?? cpuEngine).target.ownMemory;
  }

  get #room(): number | undefined {
    return this.#ownMemory === undefined ? this.#request.memory?.bytes : this.#ownMemory.bytes;
  }

  /** The longest pass of the updates that follow, up to the end of their epoch, among those of as many texts as any has. */
  #longest(update: number): Pass {
    const { stepsPerEpoch, totalSteps } = this.#plan;
    const end = Math.min(totalSteps, (Math.floor(update / stepsPerEpoch) + 1) * stepsPerEpoch);
    const passes = Array.from({ length: Math.max(0, end - update) }, (_, i) => this.#plan.update(update + i)).flat();
    const most = Math.max(0, ...passes.map(({ rows }) => rows.length));
    const full = passes.filter(({ rows }) => rows.length === most).toSorted((a, b) => b.length - a.length);
    const [longest = { rows: new Int32Array(), length: 1 }] = full;
    const { model, examples } = this.#request;
    return {
      texts: longest.rows.length,
      length: fitted(model.info, longest).length,
      answers: askedIn(answersAbout(examples.encoded), longest),
    };
  }

  #needOf(step: TrainingStep, pass: Pass): Phase['need'] {
    const { model, task } = this.#request;
    const taken = takenBy(step, task.answering(model));
    const [still, validating] = [this.#still(step), this.#validating()];
    // Both runtimes hold their memory until the last update.
    const together = this.#plan.totalSteps > this.#plan.stepsPerEpoch;
    return (texts) => {
      const answers = Math.ceil((pass.answers * texts) / Math.max(1, pass.texts));
      const training = taken({ ...pass, texts, answers });
      return still + (together ? training + validating : Math.max(training, validating));
    };
  }

  /** What does not depend on the batch. */
  #still(step: TrainingStep): number {
    const { model, options, validation, engine = cpuEngine } = this.#request;
    const apart = this.#ownMemory !== undefined;
    const copies = copiesOf({
      ...{ apart, onHost: engine.target.optimizer === 'host', accumulates: options.accumulate > 1 },
      keepsBest: validation.encoded.length > 0,
    });
    const held = apart ? frozenBytes(step, model) : process.memoryUsage.rss() + BESIDE;
    const known = Object.values(this.#request.hook?.state ?? {}).reduce((sum, { byteLength }) => sum + byteLength, 0);
    return held + known + copies * parameterBytes(step);
  }

  /** Memory of the passes that validate between updates. */
  #validating(): number {
    const { model, task, validation, options, faked, gates } = this.#request;
    const lengths = lengthsOf(validation.encoded).subarray(0, options.validationLimit).toSorted().toReversed();
    const [length] = lengths;
    if (length === undefined) return 0;
    const answering = task.answering(model);
    const texts = Math.min(textsOfValidation(answering)(length), lengths.length);
    return answeringOf(
      buildEvaluation(answering, { faked, gates: gates?.all }),
      answering,
    )({ texts, length, answers: texts * length });
  }

  #advice(room: number | undefined, times: number): string {
    if (this.#phase === undefined) {
      return 'weights, gradients and moments alone do not fit: freeze lower parts (freeze), take a smaller model, or train on another engine';
    }
    const { pass, need } = this.#phase;
    const { batch, accumulate } = this.#request.options;
    const asked = `a batch of ${pass.texts} texts of up to ${pass.length} tokens needs about ${bytes(need(pass.texts))}`;
    const split = fittingSplit({ batch, accumulate }, { need, room, most: batch / Math.max(2, times) });
    if (split === undefined) {
      return `${asked}, a single text about ${bytes(need(1))}: take shorter texts (maxLength of the data)${this.#layersAgain()}, freeze lower parts (freeze), take a smaller model, or train on another engine`;
    }
    const unsure = room === undefined ? '; halve the batch again where that is still too much' : '';
    const { phases } = this.#request;
    const same = phases.some(({ losses }) => losses.some(({ comparesTexts }) => comparesTexts === true))
      ? 'trains nearly the same, with fewer texts beside each other in the losses that compare them'
      : 'trains the same';
    return `${asked}; write batch: ${split.batch} and accumulate: ${split.accumulate}, which needs about ${bytes(need(split.batch))} and ${same}${unsure}`;
  }

  /** What keeps less between the passes of a text, where that can still be said. */
  #layersAgain(): string {
    const isAsked = this.#request.options.recompute === true || this.#ownMemory !== undefined;
    return isAsked ? '' : ', compute layers once more instead of keeping them (recompute: true)';
  }

  /** What there is, where it is known. */
  #there(): readonly string[] {
    const { memory } = this.#request;
    if (this.#ownMemory?.bytes !== undefined) return [`the device has ${bytes(this.#ownMemory.bytes)}`];
    if (this.#ownMemory !== undefined || memory === undefined) return [];
    const size = bytes(memory.bytes);
    return [memory.asked ? `--memory allows ${size}` : `this machine has ${size} to give`];
  }
}
