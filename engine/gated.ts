import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/graph.ts';
import type { Initializer } from '../models/initialize.ts';
import type { LossInput } from './losses/loss.ts';

/** What masks of activations are made of. */
export interface MaskScope {
  readonly builder: GraphBuilder;
  /** A parameter beside those of the model, made once by its name; it is trained along and thrown away. */
  parameter(name: string, dims: readonly number[], start?: Initializer): Value;
  /** An input that batches feed; left out where a model answers, with masks as training has made them so far. */
  readonly input?: (input: LossInput) => Value;
}

/** An activation that training multiplies by a mask. */
export interface Gated {
  /** In the graph of the model. */
  readonly value: Value;
  /** In a shape that spreads over the value. */
  mask(scope: MaskScope): Value;
}

/** What a value of the model is multiplied by, if anything. */
export const masksOf = (gates: readonly Gated[], scope: MaskScope): ((name: Value) => Value | undefined) => {
  const byValue = new Map(gates.map((gate) => [gate.value, gate]));
  return (name) => {
    const gate = byValue.get(name);
    return gate === undefined ? undefined : scope.builder.within(`${name}/mask`, () => gate.mask(scope));
  };
};
