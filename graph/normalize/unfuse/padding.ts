import { multiplyDims } from '../../dim.ts';
import type { Value } from '../../graph.ts';
import { dtypeNumber } from '../../ops/shared-structure.ts';
import { type Fused, needed, numberOf, scalarLike, shapeAt, times } from './fused.ts';
import { causal, counted, firstQuery, unseen } from './heads.ts';

/** What ONNX Runtime's own attention adds to the scores of padding where it is not told. */
const FILTER = -10_000;

/** Forms of a mask: a number of tokens a text, ends and beginnings of texts, tokens of texts, keys of queries. */
export type MaskForm = 'lengths' | 'bounds' | 'tokens' | 'pairs';

/** The form of the mask at an input; undefined where it is none that is known. `batch` is the input with that axis. */
export const maskForm = (at: Fused, position: number, batch = 0): MaskForm | undefined => {
  const shape = shapeAt(at, position);
  const [texts] = shapeAt(at, batch) ?? [];
  if (shape === undefined || texts === undefined) return undefined;
  if (shape.length === 1) {
    return shape[0] === texts ? 'lengths' : shape[0] === multiplyDims(2, texts) ? 'bounds' : undefined;
  }
  if (shape.at(-1) === 1) return undefined;
  return shape.length === 2 ? 'tokens' : shape.length === 3 ? 'pairs' : undefined;
};

/** Whether keys belong to their text: (batch, keys). */
const within = (at: Fused, mask: Value, key: Value, form: 'lengths' | 'bounds'): Value => {
  const { builder } = at;
  const keys = counted(at, key, 2);
  const columns = builder.op('Unsqueeze', [builder.op('Cast', [mask], { to: 7 }), builder.ints([1])]);
  if (form === 'lengths') return builder.op('Less', [keys, columns]);
  const texts = builder.op('Shape', [key], { start: 0, end: 1 });
  const first = builder.ints([0]);
  const end = builder.op('Slice', [columns, first, texts, first]);
  const start = builder.op('Slice', [columns, texts, builder.ints([2 ** 31 - 1]), first]);
  return builder.op('And', [builder.op('Less', [keys, end]), builder.op('GreaterOrEqual', [keys, start])]);
};

const axesBefore = (form: MaskForm): readonly number[] => (form === 'pairs' ? [1] : [1, 2]);

/** (1 - mask) * filter, as exporters write it: (batch, 1, 1 or queries, keys). */
const padding = (at: Fused, mask: Value, query: Value, key: Value, form: MaskForm): Value => {
  const { builder } = at;
  const tokens = form === 'lengths' || form === 'bounds' ? within(at, mask, key, form) : mask;
  const wide = builder.op('Unsqueeze', [tokens, builder.ints(axesBefore(form))]);
  const kept = builder.op('Cast', [wide], { to: dtypeNumber(builder.type(query).dtype) });
  const dropped = builder.op('Sub', [scalarLike(at, query, 1), kept]);
  return times(at, dropped, numberOf(at, 'mask_filter_value', FILTER));
};

interface Masked {
  readonly query: Value;
  readonly key: Value;
  /** The input with the mask, and its form. */
  readonly mask?: { readonly position: number; readonly form: MaskForm };
  readonly unidirectional: boolean;
}

/** What a mask, and that nobody looks ahead, add to the scores; undefined for neither. */
export const maskScores = (at: Fused, { query, key, mask, unidirectional }: Masked): Value | undefined => {
  const added = mask === undefined ? undefined : padding(at, needed(at, mask.position), query, key, mask.form);
  if (!unidirectional) return added;
  return unseen(at, causal(at, query, key, firstQuery(at, query, key)), query, added);
};
