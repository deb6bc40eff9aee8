import { stream } from '../../data/random.ts';
import type { HostTensor } from '../../engine/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { symbol } from '../../graph/dim.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import type { AttentionKind, Draw, Place, Sees, Settings } from '../../models/attention/kind.ts';
import { maskBias } from '../../models/blocks.ts';

/** Sizes of the attention under test: small, and no two alike. */
export const HEADS = 2;
export const HEAD_WIDTH = 5;
const WIDTH = HEADS * HEAD_WIDTH;
const SCALE = 1 / Math.sqrt(HEAD_WIDTH);

/** An attention of a kind by itself: queries, keys, values and a mask of padding go in. */
export const kindGraph = (kind: AttentionKind, settings: Settings, draw: Draw): Graph => {
  const builder = new GraphBuilder(kind.name);
  const [batch, sequence] = [symbol('batch'), symbol('sequence')];
  const operand = (name: string): Value => builder.input(name, 'float32', [batch, sequence, WIDTH]);
  const [query, key, value] = [operand('query'), operand('key'), operand('value')];
  const bias = maskBias(builder, builder.input('attention_mask', 'int64', [batch, sequence]));
  const known = new Map<string, Value>();
  const place: Place = {
    builder,
    draw,
    parameter: (name, make) => builder.weight(name, make()),
    shared: (key, emit) => {
      const found = known.get(key) ?? emit();
      known.set(key, found);
      return found;
    },
  };
  const mixed = kind.emit(place, settings, { query, key, value, heads: HEADS, scale: SCALE, bias });
  return builder.freeze([builder.op('Identity', [mixed], {}, 'mixed')]);
};

/** One text: (length, width) each. */
export interface Text {
  readonly length: number;
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
}

export const textOf = (seed: number, length: number): Text => {
  const drawn = (role: string): Float32Array => {
    const random = stream(seed, role, length);
    return Float32Array.from({ length: length * WIDTH }, () => random.normal());
  };
  return { length, query: drawn('query'), key: drawn('key'), value: drawn('value') };
};

/** Texts as a batch, filled up with numbers that must not matter to a length, the longest where none is said. */
export const batchOf = (
  texts: readonly Text[],
  length = Math.max(...texts.map((text) => text.length)),
): Readonly<Record<string, HostTensor>> => {
  const operand = (role: 'query' | 'key' | 'value'): HostTensor => {
    const data = new Float32Array(texts.length * length * WIDTH).fill(3);
    for (const [row, text] of texts.entries()) data.set(text[role], row * length * WIDTH);
    return { dtype: 'float32', dims: [texts.length, length, WIDTH], data };
  };
  const mask = new BigInt64Array(texts.length * length);
  for (const [row, text] of texts.entries()) mask.fill(1n, row * length, row * length + text.length);
  return {
    query: operand('query'),
    key: operand('key'),
    value: operand('value'),
    attention_mask: { dtype: 'int64', dims: [texts.length, length], data: mask },
  };
};

/** softmax(scale Q K^T + mask) V in float64, where the mask hides what a query does not see. */
export const masked = ({ length, query, key, value }: Text, sees: Sees): Float64Array => {
  const mixed = new Float64Array(length * WIDTH);
  const at = (x: Float32Array, position: number, head: number, i: number): number =>
    x[position * WIDTH + head * HEAD_WIDTH + i] ?? Number.NaN;
  for (let head = 0; head < HEADS; head++) {
    for (let q = 0; q < length; q++) {
      const shares = new Map<number, number>();
      let total = 0;
      for (let k = 0; k < length; k++) {
        if (!sees(q, k)) continue;
        let score = 0;
        for (let i = 0; i < HEAD_WIDTH; i++) score += at(query, q, head, i) * at(key, k, head, i);
        const share = Math.exp(score * SCALE);
        shares.set(k, share);
        total += share;
      }
      for (const [k, share] of shares) {
        for (let i = 0; i < HEAD_WIDTH; i++) {
          const place = q * WIDTH + head * HEAD_WIDTH + i;
          mixed[place] = (mixed[place] ?? 0) + (share / total) * at(value, k, head, i);
        }
      }
    }
  }
  return mixed;
};

/** Settings small enough that short texts have several blocks. */
export const smallSettings = (kind: AttentionKind): Settings => ({
  width: kind.settings.width === undefined ? 0 : 4,
  global: kind.settings.global === undefined ? 0 : 3,
  random: kind.settings.random === undefined ? 0 : 2,
  features: kind.settings.features === undefined ? 0 : 7,
});
