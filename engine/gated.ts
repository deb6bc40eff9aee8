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

/** A value that goes on as another one while a model trains: an activation that a mask is multiplied with, for one. */
export interface Gated {
  /** In the graph of the model. */
  readonly value: Value;
  /** What goes on in the place of `x`, as far as it came; `seen` tells how other values of the model go on that were there before. */
  instead(x: Value, scope: MaskScope, seen: (name: Value) => Value): Value;
}

/** What a value of the model goes on as where that is another one; `seen` tells how those go on that were there before, itself among them. */
export type Changing = (name: Value, seen: (name: Value) => Value) => Value | undefined;

/** Values of the model as gates have them: all that is said of one, in turn. */
export const gatedBy = (gates: readonly Gated[], scope: MaskScope): Changing => {
  const byValue = new Map<Value, Gated[]>();
  for (const gate of gates) byValue.set(gate.value, [...(byValue.get(gate.value) ?? []), gate]);
  return (name, seen) => {
    const all = byValue.get(name);
    if (all === undefined) return undefined;
    return scope.builder.within(`${name}/gate`, () =>
      all.reduce((x, gate) => gate.instead(x, scope, seen), seen(name)),
    );
  };
};
