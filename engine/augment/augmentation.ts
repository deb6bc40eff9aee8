import { z } from 'zod';
import type { Batch } from '../../data/batches.ts';
import type { GraphBuilder } from '../../graph/builder.ts';
import type { Value } from '../../graph/graph.ts';
import type { DataTask } from '../../ground/tasks.ts';
import type { Encoded } from '../encoded.ts';
import type { HostTensor } from '../engine.ts';
import type { Fed } from '../feeds.ts';
import type { Loss, LossInput } from '../losses/loss.ts';
import type { Rewordings } from './rewordings.ts';

/** A batch as a model is about to read it. */
export interface FedBatch {
  readonly model: Fed;
  /** By input; what stands in them may be changed. */
  readonly feeds: Readonly<Record<string, HostTensor>>;
  readonly examples: readonly Encoded[];
  readonly batch: Batch;
  readonly step: number;
  /** Share of all updates that are done. */
  readonly done: number;
  /** Rows in front of these in the batch that they are a piece of. */
  readonly before?: Int32Array | undefined;
}

/** A value inside of the model that goes on as another one while it trains. */
export interface Within {
  readonly value: Value;
  emit(scope: { readonly builder: GraphBuilder; input(input: LossInput): Value }, x: Value): Value;
}

/** What makes other texts of those that are trained on: of each update anew, and the same again for the same seed. */
export interface Augmenter {
  /** Changes what a batch is fed, in place. */
  feed?(batch: FedBatch): void;
  readonly within?: Within;
  /** The loss of what such texts are. */
  loss?(loss: Loss): Loss;
}

/** What an augmentation is made of. */
export interface Material {
  readonly seed: number;
  /** Tokens that are no part of what a text says. */
  readonly special: ReadonlySet<number>;
  /** What the first layer of the model reads; throws where it has none. */
  embeddings(): Value;
  /** Other words for those of the examples, where they were asked for. */
  readonly rewordings?: Rewordings | undefined;
}

/** What every entry of the list says. */
export interface AugmentEntry {
  readonly uses: string;
  readonly [option: string]: unknown;
}

/** What an augmentation stands beside. */
export interface Beside {
  readonly task: DataTask;
  /** A loss that looks inside of the models, and one that compares texts with each other, where there are such. */
  readonly inside?: string | undefined;
  readonly comparing?: string | undefined;
}

type Options = Readonly<Record<string, z.ZodType>>;

/** As far as all entries are alike: the other options are each augmentation's own. */
type EntrySchema = z.ZodObject<{ uses: z.ZodLiteral<string> }, z.core.$loose>;

/** One way to make other texts of those that there are, by its name in YAML. */
export interface Augmentation<U extends string = string> {
  readonly uses: U;
  /** A line for docs and the schema. */
  readonly summary: string;
  readonly schema: EntrySchema;
  /** What it makes others of. */
  readonly reads: 'texts' | 'images';
  /** Whether it asks a masked language model, which its option `model` names, for other words. */
  readonly rewords: boolean;
  /** Why it makes no sense there; undefined where it does. */
  problem(beside: Beside): string | undefined;
  make(entry: AugmentEntry, material: Material): Augmenter;
}

interface Declared<U extends string, S extends Options> {
  readonly uses: U;
  readonly summary: string;
  readonly rewords?: true;
  readonly reads?: 'images';
  readonly options: S;
  problem(beside: Beside): string | undefined;
  make(options: z.output<z.ZodObject<S>>, material: Material): Augmenter;
}

/** Why there is nothing to make others of. */
const otherKind = (reads: Augmentation['reads'], { task }: Beside): string | undefined =>
  (task.about === 'image') === (reads === 'images')
    ? undefined
    : `it makes other ${reads} of those that there are, and the data is for ${task.name}`;

/** An augmentation with its options typed, hidden behind its own schema so that all fit one list. */
export const defineAugmentation = <const U extends string, S extends Options>(
  declared: Declared<U, S>,
): Augmentation<U> => {
  const { uses, summary, rewords = false, reads = 'texts', problem, make } = declared;
  const own = z.object(declared.options);
  const options: Options = declared.options;
  return {
    ...{ uses, summary, rewords, reads },
    problem: (beside) => otherKind(reads, beside) ?? problem(beside),
    schema: z.strictObject({ uses: z.literal<string>(uses), ...options }).describe(summary) as EntrySchema,
    make: (entry, material) => make(own.parse(entry), material),
  };
};

/** Why texts whose tokens are the truth themselves are left as they are: they are read with other gaps at each update, or written on. */
export const wantsItsTokens = ({ task }: Beside): string | undefined => {
  if (task.truth !== 'text') return undefined;
  return task.reads === 'before'
    ? `each token is what data for ${task.name} asks for behind the ones before it: another in its place would be wrong`
    : `data for ${task.name} has other tokens hidden at every update already`;
};
