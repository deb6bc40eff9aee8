import type { GraphBuilder } from '../../builder.ts';
import { addDims, type Shape } from '../../dim.ts';
import type { Value } from '../../graph.ts';
import type { AttributeInput } from '../../op.ts';
import type { PassSample } from '../pass.ts';
import {
  alias,
  type Fused,
  flagOf,
  has,
  inputAt,
  isComputed,
  needed,
  numberOf,
  outputAt,
  parted,
  shapeAt,
  sizeAt,
  type Unfusion,
} from './fused.ts';
import { apart, behind, capped, counted, lengthOf, mixed, plus, scoresOf, shared, together, unseen } from './heads.ts';
import { type Angles, anglesAt, rotated, turnedBy } from './rotation.ts';
import { asFloat, asInt32, fusedNode, type SampleInputs, sampleOf, weight } from './samples.ts';

const [QUERY, KEY, VALUE, PAST_KEY, PAST_VALUE, LENGTHS, COSINES, SINES, POSITIONS, SCORES, SINK] = [
  0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11,
];
/** Later than every position. */
const NEVER = 2 ** 31 - 1;

interface Facts {
  readonly heads: number;
  readonly groups: number;
  readonly width: number;
}

const factsOf = (at: Fused): Facts | undefined => {
  const [heads, groups] = [numberOf(at, 'num_heads', 0), numberOf(at, 'kv_num_heads', 0)];
  const whole = sizeAt(at, QUERY, -1);
  if (whole === undefined || heads <= 0 || groups <= 0) return undefined;
  const width = has(at, KEY) ? whole / heads : whole / (heads + 2 * groups);
  return Number.isInteger(width) && Number.isInteger(heads / groups) ? { heads, groups, width } : undefined;
};

/** Queries, keys and values, each (batch, length, heads * width). */
const rolesOf = (at: Fused, { heads, groups, width }: Facts): readonly Value[] => {
  if (has(at, KEY)) return [needed(at, QUERY), needed(at, KEY), needed(at, VALUE)];
  const sizes = [heads * width, groups * width, groups * width];
  return parted(at, needed(at, QUERY), sizes, ['query', 'key', 'value']);
};

/** How many tokens of each text are cached, (batch, 1): the length that is given tells all but one of those there are then. */
const cachedOf = (at: Fused): Value => {
  const { builder } = at;
  const last = builder.op('Cast', [builder.op('Reshape', [needed(at, LENGTHS), builder.ints([-1, 1])])], { to: 7 });
  const before = builder.op('Sub', [
    builder.op('Add', [last, builder.scalar('int64', 1)]),
    lengthOf(at, needed(at, QUERY), 1),
  ]);
  return builder.op('Max', [before, builder.scalar('int64', 0)]);
};

/** The position of every query in its text: (batch, queries). */
const positionsOf = (at: Fused, cached: Value): Value =>
  at.builder.op('Add', [cached, counted(at, needed(at, QUERY), 1)]);

/** The position of every key in its text, (batch, keys): room in the cache that the text does not fill is never reached. */
const keyPositions = (at: Fused, key: Value, cached: Value): Value => {
  const { builder } = at;
  const keys = counted(at, key, 2);
  const past = inputAt(at, PAST_KEY);
  if (past === undefined) return builder.op('Unsqueeze', [keys, builder.ints([0])]);
  const room = lengthOf(at, past, 2);
  const filled = builder.op('Where', [builder.op('Less', [keys, cached]), keys, builder.scalar('int64', NEVER)]);
  const added = builder.op('Add', [builder.op('Sub', [keys, room]), cached]);
  return builder.op('Where', [builder.op('Less', [keys, room]), filled, added]);
};

/** Whether a query may look at a key: not ahead, and no further back than the window. (batch, 1, queries, keys). */
const visibleTo = (at: Fused, key: Value, cached: Value): Value => {
  const { builder } = at;
  const rows = builder.op('Unsqueeze', [positionsOf(at, cached), builder.ints([1, 3])]);
  const columns = builder.op('Unsqueeze', [keyPositions(at, key, cached), builder.ints([1, 2])]);
  const before = builder.op('LessOrEqual', [columns, rows]);
  const window = numberOf(at, 'local_window_size', -1);
  if (window <= 0) return before;
  const reach = builder.op('Sub', [rows, builder.scalar('int64', window)]);
  return builder.op('And', [before, builder.op('Greater', [columns, reach])]);
};

const anglesOf = (at: Fused, { width }: Facts, cached: Value): Angles | undefined => {
  if (!flagOf(at, 'do_rotary')) return undefined;
  const positions = inputAt(at, POSITIONS) ?? positionsOf(at, cached);
  const [cosines, sines] = anglesAt(at, [needed(at, COSINES), needed(at, SINES)], positions, 1);
  const turned = turnedBy(shapeAt(at, COSINES)?.at(-1)) ?? width;
  return { cosines, sines, turned, width, interleaved: flagOf(at, 'rotary_interleaved') };
};

const write = (at: Fused, facts: Facts): void => {
  const { heads, groups, width } = facts;
  const cached = cachedOf(at);
  const angles = anglesOf(at, facts, cached);
  const [query, ownKey, ownValue] = rolesOf(at, facts).map((role, i) => {
    const own = apart(at, role, i === 0 ? heads : groups, width);
    return angles === undefined || i === VALUE ? own : rotated(at, own, angles);
  });
  if (query === undefined || ownKey === undefined || ownValue === undefined) throw new Error('three roles');
  const key = behind(at, inputAt(at, PAST_KEY), ownKey, outputAt(at, 1));
  const value = behind(at, inputAt(at, PAST_VALUE), ownValue, outputAt(at, 2));
  if (!has(at, PAST_KEY)) {
    alias(at, key, 1);
    alias(at, value, 2);
  }
  const given = numberOf(at, 'scale', 0);
  const product = scoresOf(
    at,
    query,
    shared(at, key, groups, heads, width),
    given === 0 ? 1 / Math.sqrt(width) : given,
  );
  const scores = plus(at, capped(at, product, numberOf(at, 'softcap', 0)), inputAt(at, SCORES));
  const seen = plus(at, scores, unseen(at, visibleTo(at, key, cached), scores));
  together(at, mixed(at, seen, shared(at, value, groups, heads, width)), heads * width, outputAt(at, 0));
};

interface SampleParts {
  readonly groups?: number;
  readonly packed?: boolean;
  /** Room in the cache. */
  readonly past?: number;
  /** Behind a cache: one token of each text, or several of one. */
  readonly size?: { readonly length: 1 } | { readonly texts: 1 };
  /** Texts fill only a part of the room, or of the prompt. */
  readonly filled?: 'partly';
  readonly rotary?: 'halves' | 'neighbours';
  readonly attrs?: AttributeInput;
}

/** (batch): one less than the tokens of each text, cached and new. */
const lengthsFor = (builder: GraphBuilder, { ids, mask }: SampleInputs, { past = 0, filled }: SampleParts): Value => {
  const one = builder.ints([1]);
  const whole = builder.op('Add', [builder.op('Shape', [ids], { start: 1, end: 2 }), builder.ints([past])]);
  if (filled === undefined) {
    const texts = builder.op('Shape', [ids], { start: 0, end: 1 });
    return asInt32(builder, builder.op('Sub', [builder.op('Expand', [whole, texts]), one]));
  }
  const own = past === 0 ? mask : builder.op('Mod', [ids, builder.ints([past + 1])]);
  const tokens = builder.op('ReduceSum', [own, one], { keepdims: 0 });
  return asInt32(builder, past === 0 ? builder.op('Sub', [tokens, one]) : tokens);
};

/** What a text does not fill is nobody's business: its cache may lie in another order, its padding hold any numbers. */
const compared = (builder: GraphBuilder, outputs: readonly Value[], mask: Value, filled: SampleParts['filled']) => {
  const [y] = outputs;
  if (filled === undefined || y === undefined) return outputs;
  return [builder.op('Mul', [y, asFloat(builder, builder.op('Unsqueeze', [mask, builder.ints([2])]))])];
};

const sample = (name: string, parts: SampleParts = {}): PassSample =>
  sampleOf(
    name,
    (builder, inputs) => {
      const { groups = 2, packed = false, past = 0, rotary, attrs, filled } = parts;
      const [texts = 1, length = 1] = builder.type(inputs.x).shape ?? [];
      const made = (role: string, width: number): Value =>
        builder.op('MatMul', [inputs.x, weight(builder, role, 8, width)]);
      const small = 16 * groups;
      const roles = packed
        ? [made('packed', 64 + 2 * small), null, null]
        : [made('q', 64), made('k', small), made('v', small)];
      const caches = ['past_key', 'past_value'].map((role) =>
        builder.input(role, 'float32', [texts, groups, past, 16]),
      );
      const tokens = builder.op('Gather', [builder.op('Shape', [inputs.ids]), builder.scalar('int64', 1)]);
      const total = asInt32(builder, builder.op('Add', [tokens, builder.scalar('int64', past)]));
      const angles = weight(builder, 'angles', 16, 8);
      const tables = rotary === undefined ? [] : ['Cos', 'Sin'].map((op) => builder.op(op, [angles]));
      const present: Shape = [texts, groups, addDims(length, past), 16];
      const turns = rotary === undefined ? {} : { do_rotary: 1, rotary_interleaved: rotary === 'neighbours' ? 1 : 0 };
      const outputs = fusedNode(
        builder,
        'com.microsoft:GroupQueryAttention',
        [...roles, ...caches, lengthsFor(builder, inputs, parts), total, ...tables],
        [[texts, length, 64], present, present],
        { num_heads: 4, kv_num_heads: groups, ...turns, ...attrs },
      );
      return compared(builder, outputs, inputs.mask, filled);
    },
    parts.size,
  );

/** Attention whose heads share keys and values in groups, with its cache and rotation inside. */
export const groupQueryAttention: Unfusion = {
  domain: 'com.microsoft',
  op: 'GroupQueryAttention',
  plan: (at) => {
    const facts = factsOf(at);
    if (facts === undefined || !isComputed(at) || !has(at, LENGTHS)) return undefined;
    if (has(at, SINK, SINK + 1, SINK + 2) || flagOf(at, 'smooth_softmax') || outputAt(at, 3) !== undefined)
      return undefined;
    if (flagOf(at, 'do_rotary') && turnedBy(shapeAt(at, COSINES)?.at(-1)) === undefined) return undefined;
    return () => write(at, facts);
  },
  changes: [
    sample('keys for two heads each'),
    sample('a head for every key, packed', { groups: 4, packed: true }),
    sample('one key for all heads, packed and turned', { groups: 1, packed: true, rotary: 'halves' }),
    sample('prompts of several lengths', { filled: 'partly', rotary: 'halves' }),
    sample('a cache and one token', { past: 3, size: { length: 1 } }),
    sample('a cache and several tokens', { past: 3, size: { texts: 1 } }),
    sample('a cache and turned halves', { past: 3, size: { length: 1 }, rotary: 'halves' }),
    sample('a cache and turned neighbours', { past: 3, size: { texts: 1 }, rotary: 'neighbours', packed: true }),
    sample('a cache that texts fill partly', { past: 3, size: { length: 1 }, rotary: 'halves', filled: 'partly' }),
    sample('a window', { attrs: { local_window_size: 2 } }),
    sample('a window behind a cache', { past: 3, size: { texts: 1 }, attrs: { local_window_size: 2 } }),
    sample('a cap and a scale', { attrs: { softcap: 2.5, scale: 0.3 } }),
  ],
  leaves: [sample('with shares that go nowhere', { attrs: { smooth_softmax: 1 } })],
};
