import type { AnatomySummary } from './inspection.ts';

type Layer = AnatomySummary['layers'][number];
type Json = Readonly<Record<string, unknown>>;

/** A number that a config has for what every layer has, or for all layers. */
type Meaning = 'heads' | 'kvHeads' | 'headWidth' | 'ffn' | 'layers' | 'hidden' | 'vocabulary';

/** The layers that a name speaks of: all, or those with or without attention to another sequence. */
type Scope = 'all' | 'encoder' | 'decoder';

/** What configs call it, of whatever architecture: the names of transformers' configs and of ONNX Runtime GenAI's. */
const names: Readonly<Record<Meaning, readonly string[]>> = {
  heads: ['num_attention_heads', 'n_head', 'n_heads', 'num_heads', 'attention_heads'],
  kvHeads: ['num_key_value_heads', 'num_kv_heads', 'n_head_kv'],
  headWidth: ['head_dim', 'head_size', 'd_kv'],
  ffn: ['intermediate_size', 'ffn_dim', 'n_inner', 'hidden_dim', 'd_ff', 'ffn_hidden_size'],
  layers: ['num_hidden_layers', 'n_layer', 'n_layers', 'num_layers', 'num_transformer_layers', 'layers'],
  hidden: ['hidden_size', 'n_embd', 'dim', 'd_model'],
  vocabulary: ['vocab_size'],
};

/** Settings of which every layer has one, in a list. */
const listNames: readonly string[] = ['layer_types', 'layers_block_type', 'attention_layers'];

const entriesOf = <T extends string, V>(record: Readonly<Record<T, V>>): readonly (readonly [string, V])[] =>
  Object.entries(record);

const isMeaning = (name: string): name is Meaning => name in names;

/** What a name of a config means, and of which layers it speaks. */
const meaningOf = (name: string, config: Json): { readonly meaning: Meaning; readonly scope: Scope } | undefined => {
  const [, side = '', rest = name] = /^(encoder|decoder)_(.+)$/.exec(name) ?? [];
  const t5 = name === 'num_decoder_layers';
  const found = t5 ? 'layers' : entriesOf(names).find(([, known]) => known.includes(rest))?.[0];
  // 'layers' and 'attention_heads' alone are no names of any config.
  if (found === undefined || !isMeaning(found) || ['layers', 'attention_heads'].includes(name)) return undefined;
  if (t5 || side === 'decoder') return { meaning: found, scope: 'decoder' };
  const encoders = side === 'encoder' || (name === 'num_layers' && typeof config.num_decoder_layers === 'number');
  return { meaning: found, scope: encoders ? 'encoder' : 'all' };
};

const layersIn = ({ layers }: AnatomySummary, scope: Scope): readonly Layer[] =>
  scope === 'all' ? layers : layers.filter(({ crossHeads }) => (crossHeads !== undefined) === (scope === 'decoder'));

/** What a graph has of something: a number a layer, or one for all of them. */
const countsOf = (summary: AnatomySummary, meaning: Meaning, scope: Scope): readonly number[] => {
  const layers = layersIn(summary, scope);
  switch (meaning) {
    case 'layers':
      return [layers.length];
    case 'hidden':
      return [summary.hidden];
    case 'vocabulary':
      return summary.vocabulary === undefined ? [] : [summary.vocabulary];
    default:
      return [...new Set(layers.map((layer) => layer[meaning]))];
  }
};

/** What one name says now; `undefined` where nothing true can be said in one number. */
interface Changed {
  readonly name: string;
  readonly value: number | undefined;
  readonly why?: string;
}

const changeOf = (
  [name, said]: readonly [string, unknown],
  config: Json,
  before: AnatomySummary,
  after: AnatomySummary,
): Changed | undefined => {
  const known = meaningOf(name, config);
  if (known === undefined || !(typeof said === 'number' || said === null)) return undefined;
  const { meaning, scope } = known;
  if (layersIn(before, scope).length === 0) return undefined;
  const [was, now] = [countsOf(before, meaning, scope), countsOf(after, meaning, scope)];
  if (was.join() === now.join()) return undefined;
  const [first, ...others] = now;
  if (first === undefined || others.length > 0)
    return { name, value: undefined, why: `layers differ in it (${now.join(', ')})` };
  if (said !== null && (was.length > 1 || was[0] !== said))
    return { name, value: undefined, why: `it said ${said} where the graph had ${was.join(', ')}` };
  return { name, value: first };
};

/** A head is no longer as wide as the stream divided by the number of heads, which is what clients take it for. */
const headWidthIn = (config: Json, after: AnatomySummary): Json => {
  const said = Object.keys(config).some((name) => names.headWidth.includes(name));
  const [heads, width] = [countsOf(after, 'heads', 'all'), countsOf(after, 'headWidth', 'all')];
  if (said || heads.length !== 1 || width.length !== 1 || (heads[0] ?? 0) * (width[0] ?? 0) === after.hidden) return {};
  return { head_dim: width[0] };
};

/** What is said of the cut beside the graphs' own anatomies. */
export interface Cutting {
  /** Layers that are gone, by their numbers before. */
  readonly gone: readonly number[];
  /** Whether the graph still takes states of as many layers as before: clients make as many caches as a config says. */
  readonly keepsStates: boolean;
}

/** A config with the counts that are true now, and what it could not say, a line each. */
export interface Recounted {
  readonly config: Json;
  readonly told: readonly string[];
}

const toldOf = ({ name, why }: Changed): string => `${name} is left out: ${why}`;

/**
 * The settings of another maker with the counts of a graph that was cut. A count that layers no longer have in common, or that the
 * maker counted otherwise than the graph shows, is left out: a client that reads it would build caches of a wrong shape.
 */
export const recounted = (
  config: Json,
  before: AnatomySummary,
  after: AnatomySummary,
  { gone, keepsStates }: Cutting,
): Recounted => {
  const changes = Object.entries(config).flatMap((entry) => {
    const change = changeOf(entry, config, before, after);
    return change === undefined ? [] : [change];
  });
  const isKept = ({ name }: Changed): boolean => keepsStates && meaningOf(name, config)?.meaning === 'layers';
  const [kept, made] = [changes.filter(isKept), changes.filter((change) => !isKept(change))];
  const values = new Map(made.map(({ name, value }) => [name, value]));
  const lists = keepsStates ? [] : listNames.filter((name) => Array.isArray(config[name]));
  const entries = Object.entries(config).flatMap(([name, said]): [string, unknown][] => {
    if (lists.includes(name) && Array.isArray(said) && said.length === before.layers.length)
      return [[name, said.filter((_, layer) => !gone.includes(layer))]];
    if (!values.has(name)) return [[name, said]];
    const value = values.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  const heads = made.some(({ name }) => meaningOf(name, config)?.meaning === 'heads');
  return {
    config: { ...Object.fromEntries(entries), ...(heads ? headWidthIn(config, after) : {}) },
    told: [
      ...kept.map(({ name }) => `${name} stays ${config[name]}: the graph still takes the states of as many layers`),
      ...made.filter(({ value }) => value === undefined).map(toldOf),
    ],
  };
};
