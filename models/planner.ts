import type { z } from 'zod';

/** An architecture that plans what a configuration asks for; the configuration's own type is hidden, as lists hold it. */
export interface Planner<P> {
  /** The values of model_type in config.json that it stands for. */
  readonly modelTypes: readonly string[];
  /** What models with a head write before the names of the others' parameters: 'bert'. */
  readonly prefix: string;
  /** Tensors that nobody reads, names without the prefix. */
  readonly ignored: readonly RegExp[];
  /** The keys of config.json that it reads. */
  readonly keys: readonly string[];
  /** Whether its models write texts; other models do not. */
  readonly decodes?: boolean;
  /** The plan for a configuration, or what is wrong with it. */
  plan(config: unknown): { readonly plan: P } | { readonly issues: readonly z.core.$ZodIssue[] };
}

/** Plans by a configuration that a schema has parsed. */
export const planningBy =
  <C, P>(schema: z.ZodType<C>, bind: (config: C) => P): Planner<P>['plan'] =>
  (config) => {
    const parsed = schema.safeParse(config, { reportInput: true });
    return parsed.success ? { plan: bind(parsed.data) } : { issues: parsed.error.issues };
  };
