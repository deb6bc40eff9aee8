import { isLosslessNumber, LosslessNumber, parse, stringify } from 'lossless-json';

/**
 * Numbers of a JSON document that JavaScript writes otherwise than they stood there, by their place (RFC 6901): 2.0 becomes 2,
 * which another reader takes for an integer.
 */
export type NumberTexts = Readonly<Record<string, string>>;

const step = (at: string, key: string): string => `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;

const collect = (node: unknown, at: string, texts: Record<string, string>): void => {
  if (isLosslessNumber(node)) {
    if (JSON.stringify(Number(node.value)) !== node.value) texts[at] = node.value;
  } else if (typeof node === 'object' && node !== null) {
    for (const [key, value] of Object.entries(node)) collect(value, step(at, key), texts);
  }
};

/** The numbers of a JSON text that would be written otherwise. */
export const numberTextsOf = (text: string): NumberTexts => {
  const texts: Record<string, string> = Object.create(null);
  collect(parse(text), '', texts);
  return { ...texts };
};

/** A document whose numbers are written as they stood, where they still have that value. */
const restored = (node: unknown, at: string, texts: NumberTexts): unknown => {
  if (typeof node === 'number') {
    const text = Object.hasOwn(texts, at) ? texts[at] : undefined;
    return text !== undefined && Number(text) === node ? new LosslessNumber(text) : node;
  }
  if (Array.isArray(node)) return node.map((item, i) => restored(item, step(at, String(i)), texts));
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, restored(value, step(at, key), texts)]));
};

/** A JSON text of a document, indented, with numbers as `texts` says. */
export const jsonTextWith = (document: unknown, texts: NumberTexts): string =>
  `${stringify(restored(document, '', texts), undefined, 2)}\n`;
