import type { z } from 'zod';
import type { Value } from '../../graph/graph.ts';
import type { Emission } from '../blocks.ts';
import type { VitShape, VitValues } from '../emit-vit.ts';
import { type Planner, planningBy } from '../planner.ts';

/** What every checkpoint says of itself, whatever its configuration calls it. */
export interface ImageFacts extends Pick<VitShape, 'channels' | 'height' | 'width' | 'patch' | 'hidden'> {
  readonly layers: number;
  readonly heads: number;
  readonly ffn: number;
  /** Of layer normalisation. */
  readonly epsilon: number;
}

/** Where a checkpoint of one class keeps its head. */
interface ImageHead<C> {
  /** The end of the class that it is saved from: 'ForImageClassification'. */
  readonly savedFrom: RegExp;
  /** A parameter that only checkpoints with this head have. */
  readonly marker: string;
  /** Emits `logits` of so many classes. */
  emit(emission: Emission, values: VitValues, config: C, labels: number): Value;
}

/** One family of checkpoints of images as transformers writes them, each parameter under the checkpoint's own name. */
export interface ImageArchitecture<C> {
  /** The values of model_type in config.json that it stands for. */
  readonly modelTypes: readonly string[];
  readonly config: z.ZodType<C>;
  /** What models with a head write before the names of the encoder's parameters: 'vit'. */
  readonly prefix: string;
  facts(config: C): ImageFacts;
  emit(emission: Emission, config: C): VitValues;
  readonly heads: readonly ImageHead<NoInfer<C>>[];
  /** Tensors that nobody reads, names without the prefix. */
  readonly ignored: readonly RegExp[];
}

interface BoundHead {
  readonly savedFrom: RegExp;
  readonly marker: string;
  emit(emission: Emission, values: VitValues, labels: number): Value;
}

/** What one checkpoint asks of an architecture, its configuration parsed. */
export interface ImagePlan {
  readonly facts: ImageFacts;
  readonly heads: readonly BoundHead[];
  emit(emission: Emission): VitValues;
}

/** An architecture of images as lists hold it. */
export type AnyImageArchitecture = Planner<ImagePlan>;

const bind = <C>(architecture: ImageArchitecture<C>, config: C): ImagePlan => ({
  facts: architecture.facts(config),
  emit: (emission) => architecture.emit(emission, config),
  heads: architecture.heads.map(({ savedFrom, marker, emit }) => ({
    ...{ savedFrom, marker },
    emit: (emission, values, labels) => emit(emission, values, config, labels),
  })),
});

/** Hides the configuration type of an architecture behind its own schema, so that all kinds fit one list. */
export const defineImageArchitecture = <S extends z.ZodRawShape, C>(
  keys: S,
  architecture: ImageArchitecture<C>,
): AnyImageArchitecture => ({
  modelTypes: architecture.modelTypes,
  prefix: architecture.prefix,
  ignored: architecture.ignored,
  keys: Object.keys(keys),
  plan: planningBy(architecture.config, (config) => bind(architecture, config)),
});
