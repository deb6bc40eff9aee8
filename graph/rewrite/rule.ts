import type { GraphBuilder } from '../builder.ts';
import type { Graph, Node, Value } from '../graph.ts';
import type { Match, Pattern } from './pattern.ts';

/** Why a rule leaves a match alone. */
export interface Held {
  readonly held: string;
}
export const held = (reason: string): Held => ({ held: reason });

/** Lookups that rules share: they fail loudly, since the pattern promises what they ask for. */
export interface Place extends Match {
  value(name: string): Value;
  node(name: string): Node;
}

/** A graph on which a rule must act, or must not. */
export interface RuleSample {
  readonly name: string;
  graph(): Graph;
}

/**
 * One rewrite. `when` collects what the replacement needs, or says why the match stays. `replace` emits nodes and
 * returns the value that stands for the root; it should be called `output`, the root's own name, so that consumers need
 * no rewiring.
 */
export interface Rule<F = unknown> {
  readonly name: string;
  readonly pattern: Pattern;
  when(place: Place): F | Held;
  replace(builder: GraphBuilder, place: Place, facts: F, output: Value): Value;
  readonly fires: readonly RuleSample[];
  readonly holds: readonly RuleSample[];
}

/** A rule whose facts are its own business, as lists of rules hold it. */
export interface AnyRule {
  readonly name: string;
  readonly pattern: Pattern;
  /** The replacement for a match, or undefined where the rule holds. */
  plan(match: Match): ((builder: GraphBuilder) => Value) | undefined;
  /** Why the rule leaves a match alone, or undefined where it fires. */
  why(match: Match): string | undefined;
  readonly fires: readonly RuleSample[];
  readonly holds: readonly RuleSample[];
}

const lookup = <T>(map: ReadonlyMap<string, T>, name: string): T => {
  const found = map.get(name);
  if (found === undefined) throw new Error(`the pattern binds nothing called '${name}'`);
  return found;
};

const isHeld = (facts: unknown): facts is Held => typeof facts === 'object' && facts !== null && 'held' in facts;

const placeOf = (match: Match): Place => ({
  ...match,
  value: (name) => lookup(match.values, name),
  node: (name) => lookup(match.named, name),
});

/** Hides the type of a rule's facts. */
export const defineRule = <F>(rule: Rule<F>): AnyRule => ({
  name: rule.name,
  pattern: rule.pattern,
  fires: rule.fires,
  holds: rule.holds,
  why: (match) => {
    const facts = rule.when(placeOf(match));
    return isHeld(facts) ? facts.held : undefined;
  },
  plan: (match) => {
    const place = placeOf(match);
    const facts = rule.when(place);
    if (isHeld(facts)) return undefined;
    const [output] = match.root.outputs;
    if (output === undefined) return undefined;
    return (builder) => builder.within(`${output}/${rule.name}`, () => rule.replace(builder, place, facts, output));
  },
});
