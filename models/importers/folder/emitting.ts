import { GraphBuilder } from '../../../graph/builder.ts';
import type { Graph, Value } from '../../../graph/graph.ts';
import type { Emission } from '../../blocks.ts';
import type { StoredTensors } from '../../safetensors/file.ts';
import { readFolderTensors } from '../../safetensors/folder.ts';
import { importError } from '../importer.ts';
import { checkpointOf, unwrapped } from './checkpoint.ts';
import { configFile, type PlannedConfig, takesEncoder } from './config.ts';
import { checkUnread, prefixOf } from './tensors.ts';

/** Emits a model without its head. */
interface Body<V> {
  readonly facts: { readonly epsilon: number };
  emit(emission: Emission): V;
}

/** What is emitted behind it. */
interface Behind<V> {
  readonly head:
    | { readonly marker: string | undefined; emit(emission: Emission, values: V, labels: number): Value }
    | undefined;
  /** Whether tensors of a head are left over on purpose. */
  readonly headless: boolean;
  /** What tensors have to be beyond what is read of them. */
  check?(tensors: StoredTensors, values: V): void;
}

interface Emitted<V> {
  readonly graph: Graph;
  readonly values: V;
  readonly output: Value;
}

/** The graph that config.json asks for, with the tensors of the folder; whatever is left over or no number is an importError. */
export const emitFolder = <V extends { readonly features: Value }>(
  folder: string,
  config: PlannedConfig<Body<V>>,
  { head, headless, check }: Behind<V>,
): Emitted<V> => {
  const { architecture, plan, labels, savedFrom } = config;
  const tensors = unwrapped(readFolderTensors(folder));
  const checkpoint = checkpointOf(tensors);
  const builder = new GraphBuilder(config.modelType);
  const prefix = prefixOf(architecture, tensors);
  const emission: Emission = {
    ...{ builder, parameters: checkpoint.parameters, prefix, epsilon: plan.facts.epsilon },
    holds: checkpoint.has,
  };
  const values = plan.emit(emission);
  if (head?.marker !== undefined && !checkpoint.has(head.marker)) {
    throw importError(
      `${configFile}: the model is a ${savedFrom}, but the safetensors have no '${head.marker}'; ${takesEncoder}`,
    );
  }
  check?.(tensors, values);
  const output = head === undefined ? values.features : head.emit(emission, values, labels.length);
  checkUnread(checkpoint.unread(), config, { prefix, headless });
  checkpoint.expectFinite();
  return { graph: builder.freeze([output]), values, output };
};
