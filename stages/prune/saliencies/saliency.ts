import type { Engine } from '../../../engine/engine.ts';
import type { Competition, Pattern } from '../patterns/pattern.ts';
import type { Plane } from '../plane.ts';
import type { Quota } from '../zeros.ts';

interface Named {
  /** In YAML. */
  readonly name: string;
  readonly summary: string;
  /** Among which weights zeros are chosen where nobody says. */
  readonly competes: Competition;
}

/** A weight that may get zeros. */
export interface Weight {
  readonly name: string;
  /** In the weight's own order, as are scores, gradients, marks and states. */
  readonly data: Float32Array;
  readonly plane: Plane;
}

/** Looks at weights alone. Scores are not negative. */
export interface OfWeights extends Named {
  readonly reads: 'weights';
  score(weight: Weight, seed: number): Float32Array | Promise<Float32Array>;
}

/** Looks at how large each input of a product is on texts, which need no labels. */
export interface OfInputs extends Named {
  readonly reads: 'inputs';
  /** `squares` are sums over all rows of all texts, one an input. */
  score(weight: Weight, squares: Float64Array): Float32Array;
}

/** A product as those see it that know how its inputs go together: numbers of a row are those of one output. */
export interface Walked {
  readonly rows: number;
  readonly width: number;
  /** Row by row. */
  readonly data: Float32Array;
  /** Sums of products of two inputs over all rows of all texts, width x width; the same object for products that share it. */
  readonly products: Float64Array;
}

/** Where zeros may stand, how many there are, and who competes. */
export interface Asked {
  readonly pattern: Pattern;
  readonly quota: Quota;
  readonly compete: Competition;
}

/** Goes along products one after the other; those that read the same input come together. */
export interface Walker {
  /** The rows with their zeros, what stays having made up for them. */
  thin(walked: Walked, asked: Asked, signal: AbortSignal): Promise<Float32Array>;
  release(): Promise<void>;
}

/** Looks at how inputs go together on texts, and chooses while it goes along them. */
export interface OfCorrelations extends Named {
  readonly reads: 'correlations';
  open(engine: Engine, threads: number): Promise<Walker>;
}

/** What was seen of one weight so far, by what it is: a checkpoint saves it as it is. */
export type State = Readonly<Record<string, Float32Array<ArrayBuffer>>>;

/** One look at a weight: of a text where weights stand still, of an update where they are trained. */
export interface Look extends Pick<Weight, 'plane'> {
  readonly weight: Float32Array;
  readonly gradient: Float32Array;
}

/** Looks at gradients of the losses of a task, text by text or update by update: the same in one shot and during training. */
export interface OfGradients extends Named {
  readonly reads: 'gradients';
  /** Whether weights have to be under way: what they move by is what it looks at. */
  readonly during: 'any' | 'training';
  /** Updates from look to look while a model trains, and from masks to masks where nobody says: for what takes long. */
  readonly pace?: { readonly looks: number; readonly masks: number };
  /** Updates of training below which it has learnt too little to choose by. */
  readonly fewest?: number;
  start(weight: Pick<Weight, 'name' | 'plane'>): State;
  /** Writes into the state, and into nothing else. */
  after(state: State, look: Look): void;
  /** Not negative, but where only training teaches it. */
  score(state: State, weight: Weight): Float32Array;
  /** What stays, moved so that it makes up for what goes (1 where a number goes); it stays where it is without. */
  moved?(state: State, weight: Weight, gone: Uint8Array): Float32Array;
}

/** How much each weight matters: what scores least goes. */
export type Saliency = OfWeights | OfInputs | OfCorrelations | OfGradients;
