import { oneLine } from '../text.ts';

/** Markup that is safe to place: made by `html`, never from text alone. */
export interface Html {
  readonly markup: string;
}

type Piece = Html | string | number | null | readonly Piece[];

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text made inert for element content and quoted attributes alike. */
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? '');

const placed = (piece: Piece): string => {
  if (piece === null) return '';
  if (typeof piece === 'number') return `${piece}`;
  if (typeof piece === 'string') return escaped(oneLine(piece));
  return 'markup' in piece ? piece.markup : piece.map(placed).join('');
};

/** A template whose text values are escaped: only what `html` or `trusted` made is placed as markup. */
export const html = (strings: TemplateStringsArray, ...values: readonly Piece[]): Html => ({
  markup: strings.reduce((markup, text, i) => `${markup}${placed(values[i - 1] ?? null)}${text}`),
});

/** Markup of our own making: the style sheet, and pictures, whose texts vega escapes. */
export const trusted = (markup: string): Html => ({ markup });

export const nothing: Html = { markup: '' };
