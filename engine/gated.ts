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

/** What a value of the model goes on as where that is another one, by its name there and in the step. */
export type Changing = (name: Value, x: Value) => Value | undefined;

/** Values of the model times their masks. */
export const maskedBy = (gates: readonly Gated[], scope: MaskScope): Changing => {
  const byValue = new Map(gates.map((gate) => [gate.value, gate]));
  return (name, x) => {
    const gate = byValue.get(name);
    if (gate === undefined) return undefined;
    const mask = scope.builder.within(`${name}/mask`, () => gate.mask(scope));
    return scope.builder.op('Mul', [x, mask]);
  };
};
