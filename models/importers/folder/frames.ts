import type { JsonObject } from '../json-file.ts';

/** The ids of special tokens and the places of texts, in order: what a post-processor makes of one text, and of two. */
export interface Frame {
  readonly single: readonly (number | 'A' | 'B')[];
  readonly pair: readonly (number | 'A' | 'B')[];
}

interface Piece {
  readonly SpecialToken?: { readonly id: string };
  readonly Sequence?: { readonly id: 'A' | 'B' };
}

type Place = Frame['single'][number];

const templateOf = (pieces: unknown, tokens: JsonObject): Frame['single'] =>
  (Array.isArray(pieces) ? pieces : []).flatMap((piece: Piece): readonly Place[] => {
    if (piece.Sequence !== undefined) return [piece.Sequence.id];
    const ids: unknown = Object(tokens[piece.SpecialToken?.id ?? '']).ids;
    return Array.isArray(ids) ? ids.map(Number) : [];
  });

const idIn = (pair: unknown): number => (Array.isArray(pair) ? Number(pair[1]) : Number.NaN);

/** The frame of a post-processor of tokenizer.json; undefined where it is of no kind that is known. */
export const frameOf = (processor: unknown): Frame | undefined => {
  const json: JsonObject = Object(processor);
  switch (json.type) {
    case undefined:
    case 'ByteLevel':
      return { single: ['A'], pair: ['A', 'B'] };
    case 'Sequence': {
      const parts = Array.isArray(json.processors) ? json.processors : [];
      const framing = parts.filter((part) => Object(part).type !== 'ByteLevel');
      return framing.length > 1 ? undefined : frameOf(framing[0]);
    }
    case 'TemplateProcessing':
      return {
        single: templateOf(json.single, Object(json.special_tokens)),
        pair: templateOf(json.pair, Object(json.special_tokens)),
      };
    case 'BertProcessing':
    case 'RobertaProcessing': {
      const [first, last] = [idIn(json.cls), idIn(json.sep)];
      const between = json.type === 'BertProcessing' ? [last] : [last, last];
      return { single: [first, 'A', last], pair: [first, 'A', ...between, 'B', last] };
    }
    default:
      return undefined;
  }
};

/** Whether a post-processor gives a token another type than 0, or may. */
export const givesTypes = (processor: unknown): boolean => {
  const json: JsonObject = Object(processor);
  if (processor == null || json.type === 'BertProcessing') return true;
  if (json.type === 'Sequence' && Array.isArray(json.processors)) return json.processors.some(givesTypes);
  return json.type === 'TemplateProcessing' && /"type_id":[1-9]/.test(JSON.stringify([json.single, json.pair]));
};

const place = (id: 'A' | 'B') => ({ Sequence: { id, type_id: 0 } });

/** A template of one type around texts, of the tokens that a BertProcessing names. */
const template = ({ cls, sep }: JsonObject): JsonObject => {
  const token = (pair: unknown) => ({ SpecialToken: { id: Array.isArray(pair) ? String(pair[0]) : '', type_id: 0 } });
  const single = [token(cls), place('A'), token(sep)];
  const entries = [cls, sep].filter(Array.isArray).map(([id, number]) => [id, { id, ids: [number], tokens: [id] }]);
  return {
    type: 'TemplateProcessing',
    single,
    pair: [...single, place('B'), token(sep)],
    special_tokens: Object.fromEntries(entries),
  };
};

const ofOneType = (pieces: unknown): unknown => {
  if (!Array.isArray(pieces)) return pieces;
  const typed = (piece: unknown) =>
    Object.entries(Object(piece)).map(([kind, one]) => [kind, { ...Object(one), type_id: 0 }]);
  return pieces.map((piece) => Object.fromEntries(typed(piece)));
};

/** The same post-processor with one type for both texts of a pair. */
export const untyped = (processor: unknown): unknown => {
  const json: JsonObject = Object(processor);
  const { type, processors } = json;
  if (processor == null)
    return { type: 'TemplateProcessing', single: [place('A')], pair: [place('A'), place('B')], special_tokens: {} };
  if (type === 'TemplateProcessing') return { ...json, single: ofOneType(json.single), pair: ofOneType(json.pair) };
  if (type === 'BertProcessing') return template(json);
  return type === 'Sequence' && Array.isArray(processors)
    ? { ...json, processors: processors.map(untyped) }
    : processor;
};
