import type { GraphBuilder } from '../../graph/builder.ts';
import type { Value } from '../../graph/graph.ts';
import type { Tensor } from '../../graph/tensor.ts';

/** What kinds can be told. Each takes some of it and has defaults of its own. */
export interface Settings {
  /** Positions of a block, or on each side of a window. */
  readonly width: number;
  /** Positions at the start that see all and are seen by all. */
  readonly global: number;
  /** Blocks at random distances that each block sees besides. */
  readonly random: number;
  /** Random features, or rows that keys and values are brought to. */
  readonly features: number;
}
const every: Readonly<Record<keyof Settings, true>> = { width: true, global: true, random: true, features: true };

export const settingNames = Object.keys(every) as readonly (keyof Settings)[];

/** What a kind is told, with its own defaults for what nobody says; 0 stands for what it does not take. */
export const settingsFor = (
  { settings }: { readonly settings: Partial<Settings> },
  { width, global, random, features }: Readonly<Partial<Record<keyof Settings, number | undefined>>>,
): Settings => ({
  width: width ?? settings.width ?? 0,
  global: global ?? settings.global ?? 0,
  random: random ?? settings.random ?? 0,
  features: features ?? settings.features ?? 0,
});

/** What is drawn and how far it has to reach: one attention of one model. */
export interface Draw {
  readonly seed: number;
  /** Of the attention: layers draw apart. */
  readonly layer: number;
  /** Positions that the model has. */
  readonly longest: number;
}

/** Sizes of one attention, for one text. */
export interface Sizes {
  readonly length: number;
  readonly heads: number;
  readonly headWidth: number;
}

/** What an attention reads, whatever graph it stands in. */
export interface Core {
  /** Heads side by side: (batch, sequence, heads * head width). */
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  readonly heads: number;
  /** What scores are multiplied by. */
  readonly scale: number;
  /** Added to the scores of a key, 0 or a large negative number at padding: (batch or 1, 1, 1, sequence). */
  readonly bias: Value;
  /** Ratio of the Dropout of attention weights, where there is one. */
  readonly dropout?: number;
}

/** Where a kind writes its nodes. */
export interface Place {
  readonly builder: GraphBuilder;
  readonly draw: Draw;
  /** A parameter of this attention, called after it; an equal name is the same one. */
  parameter(name: string, make: () => Tensor): Value;
  /** Once a graph: what does not hang on the layer, such as the mask of a window. */
  shared(key: string, emit: () => Value): Value;
}

/** Whether a query sees a key, both counted from 0. */
export type Sees = (query: number, key: number) => boolean;

/**
 * One way to attend. `emit` gives (batch, sequence, heads * head width) like the attention it stands for, in operators that
 * train: slices and Concat, never Gather, whose gradient costs twelve times as much.
 */
export interface AttentionKind {
  readonly name: string;
  /** A sentence for help and docs. */
  readonly summary: string;
  /** Settings that it takes, with what they are where nothing is said. */
  readonly settings: Partial<Settings>;
  /** What is wrong with settings, whatever the model. */
  problem?(settings: Settings): { readonly setting: keyof Settings; readonly message: string } | undefined;
  /** The definition, where it is full attention under a mask: what it emits is equal to that, whatever the length. */
  sees?(settings: Settings, draw: Draw): Sees;
  /** Multiply-accumulates of all products of activations, of one text. */
  macs(settings: Settings, sizes: Sizes): number;
  /** Whether a softmax runs over scores, a share of the time of their products. */
  readonly scored: boolean;
  /**
   * Numbers that are moved for each number of its operands, beside the products: slices, sums, exponentials. Measured, not
   * counted: with the products it says from which length on a kind pays.
   */
  readonly moves: number;
  emit(place: Place, settings: Settings, core: Core): Value;
}
