import type { GraphBuilder } from '../../graph/builder.ts';
import type { Value } from '../../graph/graph.ts';
import { dropout, type Emission, layerNorm, linear, parameter, splitHeads, splitKeys } from '../blocks.ts';
import type { Compared } from '../emit-encoder.ts';
import type { DebertaConfig } from './deberta-config.ts';
import { distanceIds, logRatio } from './relative.ts';

/** How many terms attention scores are summed of: the scale is one over the root of head width times this. */
export const scoreTerms = ({ pos_att_type }: { readonly pos_att_type: DebertaConfig['pos_att_type'] }): number =>
  1 + new Set(pos_att_type).size;

const farthest = (config: DebertaConfig): number =>
  config.max_relative_positions < 1 ? config.max_position_embeddings : config.max_relative_positions;

/** Rows of the table of relative positions on either side. */
const spanOf = (config: DebertaConfig): number =>
  config.position_buckets > 0 ? config.position_buckets : farthest(config);

/** Near distances as they are, far ones in steps of their logarithm (He et al. 2021, arXiv 2111.09543, section 3). */
const bucketOf = (distance: number, buckets: number, limit: number): number => {
  const middle = Math.floor(buckets / 2);
  const far = Math.abs(distance);
  if (far <= middle) return distance;
  const steps = Math.ceil(Math.fround(logRatio(far / middle, (limit - 1) / middle) * (middle - 1)));
  return Math.sign(distance) * (steps + middle);
};

/** The row of the table of relative positions for the distance of a query behind a key. */
const rowOf = (config: DebertaConfig, distance: number): number => {
  const span = spanOf(config);
  const bucket = config.position_buckets > 0 ? bucketOf(distance, config.position_buckets, farthest(config)) : distance;
  return Math.min(2 * span - 1, Math.max(0, bucket + span));
};

/** Relative positions as every layer reads them: (1, rows, hidden). */
const tableOf = (emission: Emission, config: DebertaConfig): Value => {
  const { builder } = emission;
  const { hidden_size: hidden } = config;
  const table = parameter(emission, 'encoder.rel_embeddings.weight', [2 * spanOf(config), hidden]);
  const normal = /layer_norm/i.test(config.norm_rel_ebd)
    ? layerNorm(emission, 'encoder.LayerNorm', table, hidden)
    : table;
  return dropout(emission, builder.op('Unsqueeze', [normal, builder.ints([0])]), config.hidden_dropout_prob);
};

/** One row for all texts and heads: (sequence, sequence) to (batch, heads, sequence, sequence), as GatherElements wants. */
const spread = (builder: GraphBuilder, rows: Value, { query, key }: Compared): Value => {
  const outer = builder.op('Shape', [query], { start: 0, end: 3 }); // batch, heads, queries
  const keys = builder.op('Shape', [key], { start: 3, end: 4 });
  return builder.op('Expand', [rows, builder.op('Concat', [outer, keys], { axis: 0 })]);
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

/** Content to position: how each query likes the positions of keys. (batch, heads, sequence, sequence) */
const contentToPosition = (positions: Positions, compared: Compared, rows: Value): Value => {
  const { builder } = positions.emission;
  const { layer, query, heads, headWidth } = compared;
  const key = splitKeys(builder, projected(positions, layer, 'key'), [heads, headWidth]); // (1, heads, width, rows)
  return builder.op('GatherElements', [builder.op('MatMul', [query, key]), rows], { axis: 3 });
};

/** Position to content: how the position of each query likes the keys. (batch, heads, sequence, sequence) */
const positionToContent = (positions: Positions, compared: Compared, rows: Value): Value => {
  const { builder } = positions.emission;
  const { layer, key, heads, headWidth } = compared;
  const query = splitHeads(builder, projected(positions, layer, 'query'), [heads, headWidth]); // (1, heads, rows, width)
  return builder.op('GatherElements', [builder.op('MatMul', [query, key]), rows], { axis: 2 });
};

const layerBias = (positions: Positions, mask: Value, scale: number, compared: Compared): Value => {
  const { emission, config } = positions;
  const { builder } = emission;
  const rows = spread(builder, positions.rows, compared);
  const terms = [
    ...(config.pos_att_type.includes('c2p') ? [contentToPosition(positions, compared, rows)] : []),
    ...(config.pos_att_type.includes('p2c') ? [positionToContent(positions, compared, rows)] : []),
  ];
  const scores = terms.map((term) => builder.op('Mul', [term, builder.scalar('float32', scale)]));
  return scores.reduce((sum, term) => builder.op('Add', [term, sum]), mask);
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
  return (compared) => layerBias(positions, mask, 1 / Math.sqrt(compared.headWidth * scoreTerms(config)), compared);
};
