import type { Value } from '../../graph.ts';
import type { AttributeInput } from '../../op.ts';
import {
  type Fused,
  flagOf,
  inputAt,
  isComputed,
  needed,
  numberOf,
  outputAt,
  rankAt,
  shapeAt,
  sizeAt,
  type Unfusion,
} from './fused.ts';
import { counted } from './heads.ts';
import { type Angles, anglesAt, rotated, turnedBy } from './rotation.ts';
import { batch, fusedNode, sampleOf, sequence, weight } from './samples.ts';

/** Where a form of the operator has its inputs. */
interface Places {
  readonly cosines: number;
  readonly sines: number;
  readonly positions: number;
}

interface Facts extends Pick<Angles, 'turned' | 'width'> {
  readonly rank: number;
  readonly heads: number | undefined;
}

/** Widths of one head and of what is turned; undefined where they are not known. */
const factsOf = (at: Fused, { cosines }: Places): Facts | undefined => {
  const rank = rankAt(at, 0);
  const last = sizeAt(at, 0, -1);
  const part = numberOf(at, 'rotary_embedding_dim', 0);
  const turned = part > 0 ? part : turnedBy(shapeAt(at, cosines)?.at(-1));
  if (last === undefined || turned === undefined || turned <= 0 || turned % 2 > 0) return undefined;
  if (rank === 4) return turned > last ? undefined : { rank, turned, width: last, heads: undefined };
  const heads = numberOf(at, 'num_heads', 0);
  const width = heads > 0 ? last / heads : turned;
  return rank === 3 && turned <= width && Number.isInteger(last / width)
    ? { rank, turned, width, heads: last / width }
    : undefined;
};

/** One number says where every text begins. */
const positionsOf = (at: Fused, places: Places, lengthAxis: number): Value | undefined => {
  const { builder } = at;
  const given = inputAt(at, places.positions);
  if (given === undefined || rankAt(at, places.positions) !== 1) return given;
  const range = counted(at, needed(at, 0), lengthAxis);
  return builder.op('Unsqueeze', [builder.op('Add', [range, given]), builder.ints([0])]);
};

const write = (at: Fused, places: Places, { rank, turned, width, heads }: Facts): void => {
  const { builder } = at;
  const x = needed(at, 0);
  const [lengthAxis, headAxis] = rank === 3 ? [1, 2] : [2, 1];
  const tables = [needed(at, places.cosines), needed(at, places.sines)] as const;
  const [cosines, sines] = anglesAt(at, tables, positionsOf(at, places, lengthAxis), headAxis);
  const angles = { cosines, sines, turned, width, interleaved: flagOf(at, 'interleaved') };
  const name = outputAt(at, 0);
  if (heads === undefined) {
    rotated(at, x, angles, name);
    return;
  }
  const y = rotated(at, builder.op('Reshape', [x, builder.ints([0, 0, heads, width])]), angles);
  builder.op('Reshape', [y, builder.ints([0, 0, heads * width])], {}, name);
};

interface SampleParts {
  readonly attrs?: AttributeInput;
  readonly headed?: boolean;
  readonly positions?: 'ids' | 'first' | 'none';
  /** Columns of the tables. */
  readonly half?: number;
}

const sampleAs =
  (contrib: boolean) =>
  (name: string, { attrs = {}, headed = false, positions = 'ids', half = 2 }: SampleParts = {}) =>
    sampleOf(
      name,
      (builder, { x, ids }) => {
        const split = (): Value => builder.op('Reshape', [x, builder.ints([0, 0, 2, 4])]);
        const input = headed ? builder.op('Transpose', [split()], { perm: [0, 2, 1, 3] }) : x;
        const angles = weight(builder, 'angles', 12, half);
        const first = builder.weight('first', {
          dtype: 'int64',
          dims: [1],
          bytes: { length: 8, read: () => Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0) },
        });
        const place = positions === 'ids' ? ids : positions === 'first' ? first : null;
        const tables = ['Cos', 'Sin'].map((op) => {
          const table = builder.op(op, [angles]);
          return positions === 'none' ? builder.op('Gather', [table, ids]) : table;
        });
        const inputs = contrib ? [input, place, ...tables] : [input, ...tables, place];
        const shape = headed ? [batch, 2, sequence, 4] : [batch, sequence, 8];
        const own = !headed && (!contrib || attrs.rotary_embedding_dim !== undefined) ? { num_heads: 2 } : {};
        return fusedNode(builder, contrib ? 'com.microsoft:RotaryEmbedding' : 'RotaryEmbedding', inputs, [shape], {
          ...own,
          ...attrs,
        });
      },
      { opset: contrib ? 20 : 23 },
    );

const unfusion = (contrib: boolean, places: Places, extra: Unfusion['changes']): Unfusion => {
  const sample = sampleAs(contrib);
  return {
    domain: contrib ? 'com.microsoft' : '',
    op: 'RotaryEmbedding',
    plan: (at) => {
      const facts = factsOf(at, places);
      if (facts === undefined || !isComputed(at) || flagOf(at, 'is_packed_batching')) return undefined;
      return numberOf(at, 'scale', 1) === 1 ? () => write(at, places, facts) : undefined;
    },
    changes: [
      sample('halves of packed heads'),
      sample('halves of heads', { headed: true }),
      sample('neighbours of packed heads', { attrs: { interleaved: 1 } }),
      sample('neighbours of heads', { headed: true, attrs: { interleaved: 1 } }),
      sample('a part of each head', { headed: false, half: 1, attrs: { rotary_embedding_dim: 2 } }),
      ...extra,
    ],
    leaves: [],
  };
};

/** Heads turned by the angles of their positions, in the standard domain. */
export const rotaryEmbedding = unfusion(false, { cosines: 1, sines: 2, positions: 3 }, [
  sampleAs(false)('angles of every token', { positions: 'none' }),
]);

/** The same as ONNX Runtime has it. */
export const contribRotaryEmbedding = unfusion(true, { cosines: 2, sines: 3, positions: 1 }, [
  sampleAs(true)('from one position on', { positions: 'first' }),
]);
