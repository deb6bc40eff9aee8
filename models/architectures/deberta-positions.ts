import type { Value } from '../../graph/graph.ts';
import { dropout, type Emission, layerNorm, linear, parameter, splitHeads, splitKeys } from '../blocks.ts';
import type { Compared } from '../emit-encoder.ts';
import { type DebertaConfig, normalizesPositions } from './deberta-config.ts';
import { distanceIds, signedBucket } from './relative.ts';

/** How many terms attention scores are summed of: the scale is one over the root of head width times this. */
export const scoreTerms = ({ pos_att_type }: { readonly pos_att_type: DebertaConfig['pos_att_type'] }): number =>
  1 + new Set(pos_att_type).size;

const farthest = (config: DebertaConfig): number =>
  config.max_relative_positions < 1 ? config.max_position_embeddings : config.max_relative_positions;

/** Rows of the table of relative positions on either side. */
const spanOf = (config: DebertaConfig): number =>
  config.position_buckets > 0 ? config.position_buckets : farthest(config);

/** The row of the table of relative positions for the distance of a query behind a key. */
const rowOf = (config: DebertaConfig, distance: number): number => {
  const span = spanOf(config);
  const bucket =
    config.position_buckets > 0 ? signedBucket(distance, config.position_buckets, farthest(config)) : distance;
  return Math.min(2 * span - 1, Math.max(0, bucket + span));
};

/** Relative positions as every layer reads them: (1, rows, hidden). */
const tableOf = (emission: Emission, config: DebertaConfig): Value => {
  const { builder } = emission;
  const { hidden_size: hidden } = config;
  const table = parameter(emission, 'encoder.rel_embeddings.weight', [2 * spanOf(config), hidden]);
  const normal = normalizesPositions(config) ? layerNorm(emission, 'encoder.LayerNorm', table, hidden) : table;
  return dropout(emission, builder.op('Unsqueeze', [normal, builder.ints([0])]), config.hidden_dropout_prob);
};

interface Positions {
  readonly emission: Emission;
  readonly config: DebertaConfig;
  /** (1, rows, hidden) */
  readonly table: Value;
  /** (sequence, sequence) */
  readonly rows: Value;
}

/** The table through a projection: a layer's own for positions, or that of its queries or keys. */
const projected = ({ emission, config, table }: Positions, layer: string, role: 'query' | 'key'): Value => {
  const { hidden_size: hidden, share_att_key } = config;
  const name = share_att_key ? `${role}_proj` : `pos_${role}_proj`;
  return linear(emission, `${layer}.attention.self.${name}`, table, [hidden, hidden]);
};

/**
 * Contents as positions are compared with, scaled before they are: fewer elements than scores, and attention of contents
 * alone keeps its queries and keys to itself, so that it can be fused.
 */
const scaled = ({ emission: { builder }, config }: Positions, content: Value, { headWidth }: Compared): Value =>
  builder.op('Mul', [content, builder.scalar('float32', 1 / Math.sqrt(headWidth * scoreTerms(config)))]);

/** Scores of all rows of the table, of which each query and key picks one along `axis`. */
interface Scores {
  readonly all: Value;
  readonly axis: number;
}

/** Content to position: how each query likes the positions of keys. (batch, heads, sequence, rows) */
const contentToPosition = (positions: Positions, compared: Compared): Scores => {
  const { builder } = positions.emission;
  const { layer, heads, headWidth } = compared;
  const query = splitHeads(builder, scaled(positions, compared.query, compared), [heads, headWidth]);
  const key = splitKeys(builder, projected(positions, layer, 'key'), [heads, headWidth]); // (1, heads, width, rows)
  return { all: builder.op('MatMul', [query, key]), axis: 3 };
};

/** Position to content: how the position of each query likes the keys. (batch, heads, rows, sequence) */
const positionToContent = (positions: Positions, compared: Compared): Scores => {
  const { builder } = positions.emission;
  const { layer, heads, headWidth } = compared;
  const query = splitHeads(builder, projected(positions, layer, 'query'), [heads, headWidth]); // (1, heads, rows, width)
  const key = splitKeys(builder, scaled(positions, compared.key, compared), [heads, headWidth]);
  return { all: builder.op('MatMul', [query, key]), axis: 2 };
};

/** The rows that are picked, the same for all texts and heads: (batch, heads, sequence, sequence). */
const spread = ({ emission: { builder }, rows }: Positions, { all }: Scores): Value => {
  const outer = builder.op('Shape', [all], { start: 0, end: 2 });
  return builder.op('Expand', [rows, builder.op('Concat', [outer, builder.op('Shape', [rows])], { axis: 0 })]);
};

const layerBias = (positions: Positions, mask: Value, compared: Compared): Value => {
  const { emission, config } = positions;
  const { builder } = emission;
  const scores = [
    ...(config.pos_att_type.includes('c2p') ? [contentToPosition(positions, compared)] : []),
    ...(config.pos_att_type.includes('p2c') ? [positionToContent(positions, compared)] : []),
  ];
  const [first] = scores;
  if (first === undefined) return mask;
  const rows = spread(positions, first);
  const terms = scores.map(({ all, axis }) => builder.op('GatherElements', [all, rows], { axis }));
  return terms.reduce((sum, term) => builder.op('Add', [term, sum]), mask);
};

/**
 * Disentangled attention (He et al. 2020, arXiv 2006.03654): besides contents with contents, contents are compared with
 * positions relative to them, c2p and p2c, with scores of the same scale. What comes back is added to each layer's scores.
 */
export const disentangledBias = (
  emission: Emission,
  config: DebertaConfig,
  ids: Value,
  mask: Value,
): ((compared: Compared) => Value) => {
  const { builder } = emission;
  const positions = builder.within('encoder', () => ({
    emission,
    config,
    table: tableOf(emission, config),
    rows: distanceIds(builder, ids, config.max_position_embeddings, (distance) => rowOf(config, distance)),
  }));
  return (compared) => layerBias(positions, mask, compared);
};
