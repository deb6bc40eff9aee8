import type { GraphBuilder } from '../graph/builder.ts';
import { type Value, value } from '../graph/graph.ts';
import type { Rules } from '../graph/quantize/fake/emit.ts';
import type { MaskScope } from './gated.ts';
import type { LossInput } from './losses/loss.ts';
import type { StepParameter } from './step.ts';

/** Inputs that losses ask for, each once. */
export class LossInputs {
  readonly #builder: GraphBuilder;
  readonly #made = new Map<string, LossInput>();

  constructor(builder: GraphBuilder) {
    this.#builder = builder;
  }

  add(input: LossInput): Value {
    const { name, dtype, shape } = input;
    if (this.#made.has(name)) return value(name);
    this.#made.set(name, input);
    return this.#builder.input(name, dtype, shape);
  }

  get all(): readonly LossInput[] {
    return [...this.#made.values()];
  }
}

/** Parameters beside those of the model, each once. */
export const parametersIn = (builder: GraphBuilder) => {
  const made = new Map<Value, Pick<StepParameter, 'dims' | 'start'>>();
  const parameter: MaskScope['parameter'] = (name, dims, start) => {
    const known = value(name);
    if (made.has(known)) return known;
    const added = builder.input(name, 'float32', dims);
    made.set(added, start === undefined ? { dims } : { dims, start });
    return added;
  };
  return { made, parameter };
};

/** The same numbers with the opposite gradient: dx = -dy. */
export const ascended = (builder: GraphBuilder, rules: Rules, rising: Value): Value => {
  const same = builder.op('Identity', [rising]);
  rules.set(same, (emit, _, [dy]) => [dy == null ? null : emit.op('Neg', [dy])]);
  return same;
};
