import type { Value } from '../../graph.ts';
import type { AttributeInput } from '../../op.ts';
import { type Fused, has, inputAt, isComputed, needed, numberOf, outputAt, type Unfusion } from './fused.ts';
import { counted } from './heads.ts';
import { asFloat, asInt32, batch, fusedNode, sampleOf, sequence, weight } from './samples.ts';

const [IDS, SEGMENTS, WORDS, POSITIONS, SEGMENT_ROWS, SCALE, SHIFT, MASK, POSITION_IDS] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
const [NORMED, COUNTS, SUM] = [0, 1, 2];

const rows = ({ builder }: Fused, table: Value, ids: Value): Value => builder.op('Gather', [table, ids], { axis: 0 });

/** Words, segments and positions: (batch, sequence, hidden). */
const summed = (at: Fused): Value => {
  const { builder } = at;
  const [ids, segments, positions] = [needed(at, IDS), inputAt(at, SEGMENTS), inputAt(at, POSITION_IDS)];
  const words = rows(at, needed(at, WORDS), ids);
  const typed =
    segments === undefined ? words : builder.op('Add', [words, rows(at, needed(at, SEGMENT_ROWS), segments)]);
  const places = rows(at, needed(at, POSITIONS), positions ?? counted(at, ids, 1));
  return builder.op('Add', [typed, places], {}, outputAt(at, SUM));
};

/** How many tokens each text has, (batch), int32; zeros without a mask. */
const countTokens = (at: Fused, name: string): void => {
  const { builder } = at;
  const mask = inputAt(at, MASK);
  if (mask === undefined) {
    const texts = builder.op('Shape', [needed(at, IDS)], { start: 0, end: 1 });
    builder.op('Expand', [builder.scalar('int32', 0), texts], {}, name);
    return;
  }
  const tokens = builder.op('Cast', [builder.op('Equal', [mask, builder.scalar('int32', 1)])], { to: 6 });
  builder.op('ReduceSum', [tokens, builder.ints([1])], { keepdims: 0 }, name);
};

const write = (at: Fused): void => {
  const counts = outputAt(at, COUNTS);
  if (counts !== undefined) countTokens(at, counts);
  const attrs = { axis: -1, epsilon: { float: numberOf(at, 'epsilon', 1e-12) } };
  at.builder.op('LayerNormalization', [summed(at), needed(at, SCALE), needed(at, SHIFT)], attrs, outputAt(at, NORMED));
};

interface SampleParts {
  readonly segments?: boolean;
  readonly mask?: boolean;
  readonly positions?: boolean;
  readonly attrs?: AttributeInput;
}

const sample = (name: string, { segments = false, mask = false, positions = false, attrs }: SampleParts) =>
  sampleOf(name, (builder, inputs) => {
    const ids = asInt32(builder, inputs.ids);
    const places = asInt32(builder, builder.op('Mod', [inputs.ids, builder.scalar('int64', 7)]));
    const table = (role: string, ...dims: readonly number[]): Value => weight(builder, role, ...dims);
    const [y = null, counts = null, sum] = fusedNode(
      builder,
      'com.microsoft:EmbedLayerNormalization',
      [
        ...[ids, segments ? asInt32(builder, inputs.mask) : null, table('words', 10, 8), table('places', 12, 8)],
        ...[segments ? table('segments', 2, 8) : null, table('scale', 8), table('shift', 8)],
        ...[mask ? asInt32(builder, inputs.mask) : null, positions ? places : null],
      ],
      [[batch, sequence, 8], [batch], [batch, sequence, 8]],
      { epsilon: { float: 1e-5 }, ...attrs },
    );
    return [y ?? undefined, counts === null ? undefined : asFloat(builder, counts), sum];
  });

/** Words, positions and segments summed and normalised; its second output counts the tokens of each text. */
export const embedLayerNormalization: Unfusion = {
  domain: 'com.microsoft',
  op: 'EmbedLayerNormalization',
  plan: (at) => (isComputed(at, WORDS) && has(at, SCALE) && has(at, SHIFT) ? () => write(at) : undefined),
  changes: [
    sample('words and positions', {}),
    sample('with segments and a mask', { segments: true, mask: true, attrs: { mask_index_type: 1 } }),
    sample('with positions that are given', { segments: true, mask: true, positions: true }),
  ],
  leaves: [],
};
