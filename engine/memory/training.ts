import { idTargets, numberTargets, type Targets } from '../../data/answer-targets.ts';
import { answersWholes, modelTask } from '../../ground/tasks.ts';
import { macsIn } from '../../models/inspect.ts';
import { type Model, pixelsIn } from '../../models/model.ts';
import { readsTexts } from '../../models/signature.ts';
import { elementsIn } from '../../models/work.ts';
import type { Encoded } from '../encoded.ts';
import { symbolsFor } from '../feeds.ts';
import { buildStep } from '../step.ts';
import { textClassification } from '../tasks/classification.ts';
import { taskOf } from '../tasks/index.ts';
import type { Task } from '../tasks/task.ts';
import { activationsOf, BESIDE, parameterBytes, takenBy } from './need.ts';

/** What one update takes. */
export interface TrainingNeed {
  /** Multiply-accumulates by the operators of the step. */
  readonly macs: number;
  /** What it computes beside products, in activations of an element. */
  readonly elements: number;
  /** Bytes of gradients, and of the two moments of AdamW. */
  readonly gradients: number;
  readonly optimizer: number;
  /** The most bytes that activations and their gradients hold at once; and where layers are computed once more, if there are any. */
  readonly activations: number;
  readonly recomputed: number | null;
  /** Bytes of a process that trains it, beyond what the bare runtime takes. */
  readonly process: number;
}

/** A model that has something to learn, and from what. */
export interface Learner {
  readonly model: Model;
  readonly task: Task;
}

const settings = { hard: 1, temperature: 1, labelSmoothing: 0 };

/** What a model learns by from targets alone. */
export const lossesOf = ({ model, task }: Learner) => task.targetLosses({ ...settings, classes: model.info.labels });

/** A model with what it learns by: its own task, or two classes where only a teacher could say what is right. */
export const learner = (model: Model): Learner => {
  const own = { model, task: taskOf(model.info.task) };
  if (lossesOf(own).length > 0) return own;
  return { task: textClassification, model: textClassification.fit(model, ['no', 'yes']) };
};

/** Ids that every vocabulary has. */
const IDS = 32;
/** Of tokens that are guessed from those around them, one in so many is hidden. */
const HIDDEN = 7;

/** Positions that are answered about, where answers are not about wholes. */
const placesIn = ({ task }: Learner, length: number): { readonly places?: Int32Array } => {
  if (answersWholes(task.name)) return {};
  const { about, reads } = modelTask(task.name);
  const every = about === 'token' && reads === undefined ? HIDDEN : 1;
  return { places: Int32Array.from({ length: Math.ceil(length / every) }, (_, i) => i * every) };
};

/** A text of so many tokens, or an image, of nothing in particular: it trains as long as another. */
export const someExample = (learns: Learner, length: number): Encoded => {
  const { signature, processor } = learns.model.info;
  if (readsTexts(signature)) {
    const tokens = Int32Array.from({ length }, (_, i) => i % IDS);
    return { length, byRole: { tokens, original: tokens, next: tokens }, ...placesIn(learns, length) };
  }
  const { channels, height, width } = pixelsIn(processor);
  return { length: 1, byRole: { pixels: Uint8Array.from({ length: channels * height * width }, (_, i) => i) } };
};

/** Targets of so many answers: the first of all choices, nothing of all that might be said. */
export const someTargets = ({ model, task }: Learner, answers: number): Targets => {
  const { answer } = modelTask(task.name);
  if (answer === 'number') return numberTargets(new Float32Array(answers));
  const width = answer === 'set' ? model.info.labels.length : 1;
  return { ...idTargets(new Int32Array(answers * width)), width };
};

/** Weights, gradients and two moments, and the weights once more as the file holds them. */
const COPIES = 5;

/** What training a model takes, by the graph of its step; nothing is run. */
export const trainingNeed = (
  given: Model,
  { texts, length }: { readonly texts: number; readonly length: number },
  hasLayers: boolean,
): TrainingNeed => {
  const learns = learner(given);
  const answering = learns.task.answering(learns.model);
  const stepOf = (recompute: boolean) => buildStep(answering, { losses: lossesOf(learns), recompute });
  const kept = stepOf(false);
  const answers = texts * (placesIn(learns, length).places?.length ?? 1);
  const pass = { texts, length, answers };
  const symbols = symbolsFor(answering, { batch: texts, sequence: length, past: 0, answers });
  return {
    macs: macsIn(kept.graph, symbols),
    elements: elementsIn(kept.graph, symbols),
    gradients: parameterBytes(kept),
    optimizer: 2 * parameterBytes(kept),
    activations: activationsOf(kept, answering)(pass),
    process: COPIES * parameterBytes(kept) + takenBy(kept, answering)(pass) + BESIDE,
    recomputed: hasLayers ? activationsOf(stepOf(true), answering)(pass) : null,
  };
};
