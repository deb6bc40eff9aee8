import { z } from 'zod';
import type { Value } from '../../graph/graph.ts';
import { modelError } from '../../ground/errors.ts';
import { type ModelTask, modelTask, type TaskName } from '../../ground/tasks.ts';
import type { Emission } from '../blocks.ts';
import type { BodyRatios, HeadRatios } from '../dropout/ratios.ts';
import type { EncoderValues } from '../emit-encoder.ts';
import { type Planner, planningBy } from '../planner.ts';
import type { TextInputs } from '../signature.ts';

/** An encoder as it stands in a graph: what heads and model.json need to know of it. */
export interface Encoded extends EncoderValues {
  /** The inputs it made; `types` only where the checkpoint has embeddings for them. */
  readonly inputs: TextInputs;
  /** The token embeddings (vocabulary, embedding width), to which masked language models are tied. */
  readonly table: Value;
}

/** What every checkpoint says of itself, whatever its configuration calls it. */
export interface Facts {
  readonly vocabulary: number;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly ffn: number;
  /** Heads of keys and values, and the width of a head, where these are counts of their own. */
  readonly kvHeads?: number;
  readonly headWidth?: number;
  /** Width of the token embeddings. */
  readonly embedding: number;
  /** Longest sequence that the positions allow, in tokens, special tokens included. */
  readonly maxLength: number;
  /** Of layer normalisation. */
  readonly epsilon: number;
  /** Token id that fills batches; null where only the tokenizer says it. */
  readonly padding: number | null;
}

/** What a head answers about: a checkpoint without one puts out features. */
type HeadPlace = Exclude<ModelTask['about'], 'image'>;

/** Where a checkpoint keeps the head of one task, and how it computes. */
export interface HeadLayout<C> {
  /** A parameter that only checkpoints with this head have, where it has one of its own: 'classifier.weight'. */
  readonly marker: string | ((config: C) => string | undefined);
  /**
   * Emits `logits` over the encoder. `emission` has the encoder's prefix; parameters outside the encoder are asked for with
   * `outside(emission)`. `labels` is the number of classes; of no use to masked language models.
   */
  emit(emission: Emission, encoded: Encoded, config: C, labels: number): Value;
  /** The ratios at which it drops; nothing where it drops none. */
  dropout?(config: NoInfer<C>): HeadRatios;
  /** Parameters that checkpoints may hold again under another name. */
  copies?(config: C): readonly Copy[];
}

/** A second name of a parameter that a configuration says is the same. */
export interface Copy {
  readonly copy: string;
  /** The first name; left out, the token embeddings. */
  readonly of?: string;
}

/**
 * One family of checkpoints as transformers writes them: reads what it needs of config.json and emits the graph, each
 * parameter under the checkpoint's own name.
 */
export interface Architecture<C> {
  /** The values of model_type in config.json that it stands for. */
  readonly modelTypes: readonly string[];
  /** The keys of config.json that it needs, with the defaults of transformers; what it cannot compute is refused here. */
  readonly config: z.ZodType<C>;
  /** Further names of those keys. */
  readonly aliases?: readonly string[];
  /** What models with a head write before the names of the encoder's parameters: 'bert'. */
  readonly prefix: string;
  facts(config: C): Facts;
  emit(emission: Emission, config: C): Encoded;
  /** The ratios at which it drops: for graphs in which nothing of that is left. */
  dropout(config: NoInfer<C>): BodyRatios;
  readonly heads: Readonly<Partial<Record<HeadPlace, HeadLayout<NoInfer<C>>>>>;
  /** Whether its models write texts: every answer of theirs is made of what stands before. */
  readonly decodes?: true;
  /**
   * Tensors that a checkpoint may hold without anybody reading them, names without the encoder's prefix: buffers such as
   * position ids, a pooler that features do not need, heads of tasks that decant does not know.
   */
  readonly ignored: readonly RegExp[];
}

/** What one checkpoint asks of an architecture, its configuration parsed. */
export interface Plan {
  readonly facts: Facts;
  readonly dropout: BodyRatios;
  emit(emission: Emission): Encoded;
  head(task: TaskName): BoundHead;
}

interface BoundHead {
  readonly marker: string | undefined;
  readonly copies: readonly Copy[];
  readonly dropout: HeadRatios | undefined;
  emit(emission: Emission, encoded: Encoded, labels: number): Value;
}

/** An architecture of texts as lists hold it. */
export type AnyArchitecture = Planner<Plan> & { readonly decodes: boolean };

const bind = <C>(architecture: Architecture<C>, config: C): Plan => ({
  facts: architecture.facts(config),
  dropout: architecture.dropout(config),
  emit: (emission) => architecture.emit(emission, config),
  head: (task) => {
    const { about } = modelTask(task);
    const layout = about === 'image' ? undefined : architecture.heads[about];
    if (layout === undefined) throw modelError(`no head for ${task} is known of ${architecture.modelTypes.join(', ')}`);
    return {
      marker: typeof layout.marker === 'string' ? layout.marker : layout.marker(config),
      copies: layout.copies?.(config) ?? [],
      dropout: layout.dropout?.(config),
      emit: (emission, encoded, labels) => layout.emit(emission, encoded, config, labels),
    };
  },
});

/** The keys of an object's schema, whatever is done to it before and behind. */
const keysOf = (schema: z.core.$ZodType): readonly string[] => {
  if (schema instanceof z.ZodObject) return Object.keys(schema.shape);
  return schema instanceof z.ZodPipe ? [...keysOf(schema.in), ...keysOf(schema.out)] : [];
};

/** Hides the configuration type of an architecture behind its own schema, so that all kinds fit one list. */
export const defineArchitecture = <C>(architecture: Architecture<C>): AnyArchitecture => ({
  modelTypes: architecture.modelTypes,
  prefix: architecture.prefix,
  decodes: architecture.decodes === true,
  ignored: architecture.ignored,
  keys: [...keysOf(architecture.config), ...(architecture.aliases ?? [])],
  plan: planningBy(architecture.config, (config) => bind(architecture, config)),
});

/** The same emission for parameters outside the encoder, whose names have no prefix: 'classifier.weight'. */
export const outside = (emission: Emission): Emission => ({ ...emission, prefix: '' });
