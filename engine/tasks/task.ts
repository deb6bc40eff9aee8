import type { Targets } from '../../data/answer-targets.ts';
import type { Example, Input } from '../../data/dataset.ts';
import type { Stream } from '../../data/random.ts';
import type { Rows } from '../../data/rows.ts';
import type { TextEncoder } from '../../data/tokenize.ts';
import type { PlacedWord } from '../../data/words.ts';
import type { Judged } from '../../ground/metrics/metric.ts';
import type { DatasetTask } from '../../ground/tasks.ts';
import type { Model, Processor } from '../../models/model.ts';
import type { Encoded } from '../encoded.ts';
import type { ImitationName, Loss, LossSettings } from '../losses/index.ts';
import type { InUnit, Standardized } from '../standard.ts';
import type { TrainingExamples } from '../training-options.ts';
import type { Told } from './told.ts';

/** How good one answer is: its part of the task's primary metric, and its loss. */
export interface Judgement {
  readonly score: number;
  readonly loss: number;
  /** Where the metric is no mean: what it reads of this answer, by column. */
  readonly columns?: Readonly<Record<string, readonly number[]>>;
}

/** An example as one update meets it, and what its answers should be then. */
export interface Varied {
  readonly encoded: Encoded;
  /** As many numbers as the targets of the example have. */
  readonly targets: ArrayLike<number>;
}

/** What reads texts for a model: `encoder` is its tokenizer at work, where that is kept for list after list. */
export interface Reader extends Pick<Model, 'tokenizer' | 'info'> {
  readonly encoder?: TextEncoder;
}

/** What models are for: everything that tells a classifier of texts from a tagger of words or a maker of vectors. */
export interface Task {
  readonly name: DatasetTask;
  /** Examples as a model reads them, in their order. */
  encode(model: Reader, texts: readonly Input[], maxLength: number, signal?: AbortSignal): Promise<readonly Encoded[]>;
  /** The words of a text that people ask about, where there is an answer about each. */
  words?(text: string): readonly PlacedWord[];
  /** Texts that people ask about, where these are read otherwise than examples of data: each has to have a place. */
  ask?(model: Reader, texts: readonly Input[]): Promise<readonly Encoded[]>;
  /** What the answers about examples should be, one after the other; left out where only a teacher can tell. */
  targets?(examples: readonly Example[], encoded: readonly Encoded[], classes: readonly string[]): Targets;
  /** What gives another reading of an example for every update that meets it, with as many places. */
  varying?(model: Pick<Model, 'tokenizer' | 'info'>): (encoded: Encoded, random: Stream) => Varied;
  /** What the numbers of an answer stand for, where that is not the model's classes. */
  names?(model: Pick<Model, 'tokenizer'>): readonly string[];
  /** The model with what the task needs of it; throws where it was made for something else. */
  fit(model: Model, classes: readonly string[]): Model;
  /** The same training in numbers that suit an optimizer, where answers are numbers of a unit. */
  standardize?(training: InUnit): Standardized;
  /** The model whose output is the answers: itself, or with something behind it, or reading answers at places alone. */
  answering(model: Model): Model;
  /** Share of the target that is spread over all classes where the user says none; what is usual where it is left out. */
  readonly smoothing?: number;
  /** Losses of learning from targets; none where there are none to learn from. */
  targetLosses(settings: LossSettings): readonly Loss[];
  /** The loss by which a teacher's answers are imitated where nobody chooses another. */
  readonly imitation: ImitationName;
  /** Losses that go along with any imitation of answers. */
  besides?(settings: LossSettings): readonly Loss[];
  judge(answer: Float32Array, examples: TrainingExamples, number: number): Judgement;
  /** All judged answers of some texts, with what they say together, where that is more than each by itself. */
  together?(judged: Judged, classes: readonly string[]): Judged;
  /** The best threshold of each class by answers about texts that were not trained on; absent where none are compared with one. */
  thresholds?(rows: Rows, targets: Targets): readonly number[];
  /**
   * In the words of its labels; undefined is an answer that was never given. `top` is how many of very many choices are told.
   */
  tell(answer: Float32Array | undefined, labels: readonly string[], processor: Processor, top?: number): Told;
}
