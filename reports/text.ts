/** Characters that reorder or hide the text around them: direction overrides and isolates, zero-width marks, tags. */
const deceptive = /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;

/**
 * Text from data, YAML or a model file on one line, without what could steer a terminal or reorder the line: white
 * space becomes one space, other control characters and lone surrogates become U+FFFD.
 */
export const oneLine = (text: string): string =>
  text
    .replace(/\s+/gu, ' ')
    .replace(deceptive, '\ufffd')
    .replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu, '\ufffd')
    .trim();

/** The same over several lines, for a file shown as it is: tabs and line ends stay. */
export const manyLines = (text: string): string =>
  text
    .replace(/\r\n?/g, '\n')
    .replace(deceptive, '\ufffd')
    .replace(/(?![\n\t])[\p{Cc}\p{Cs}]/gu, '\ufffd');

const escaped = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
  ).join('');

/**
 * A JSON document for standard output. JSON itself escapes only some control characters; the others, and what reorders or
 * hides text, are escaped as well: the document says the same and steers no terminal.
 */
export const jsonForPeople = (json: unknown): string =>
  `${JSON.stringify(json, null, 2)
    .replace(deceptive, escaped)
    .replace(/[\u007f-\u009f\u2028\u2029]/g, escaped)}\n`;

/** Workflow commands of GitHub begin with these wherever a line does: text of a report must not. */
export const disarmed = (text: string): string => oneLine(text).replace(/::/g, ': :').replace(/##\[/g, '## [');

/** The first letter large, as at the start of a sentence. */
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** At most `most` characters, the last one an ellipsis where some were cut. */
export const shortened = (text: string, most: number): string => {
  const characters = [...text];
  return characters.length <= most
    ? text
    : `${characters
        .slice(0, Math.max(most - 1, 0))
        .join('')
        .trimEnd()}…`;
};

/** Cells of a terminal that a character takes: two for East Asian wide ones and emoji, none for combining marks. */
const cellsOf = (character: string): number => {
  if (/^[\p{Mn}\p{Me}\u200d]$/u.test(character)) return 0;
  return /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$/u.test(
    character,
  )
    ? 2
    : 1;
};

export const terminalWidth = (text: string): number =>
  [...text].reduce((sum, character) => sum + cellsOf(character), 0);

/** Cut to `most` cells of a terminal, with an ellipsis. */
export const fitted = (text: string, most: number): string => {
  if (terminalWidth(text) <= most) return text;
  let kept = '';
  for (const character of text) {
    if (terminalWidth(kept) + cellsOf(character) > most - 1) break;
    kept += character;
  }
  return most < 1 ? '' : `${kept.trimEnd()}…`;
};
