import { type Facts, type UserError, userErrors } from '../ground/errors.ts';
import { shortened } from '../reports/text.ts';

/** A text that problems point into: the YAML file, or one `--set` argument. */
export interface Source {
  /** What people see before line and column. */
  readonly name: string;
  readonly text: string;
}

/** A half-open range of characters of a source. */
export interface Span {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

/** One problem with the request, found before any step ran. */
export interface Diagnostic {
  /** Stable name of the kind of problem, e.g. "unknown-key". */
  readonly code: string;
  /** What was found and what was expected. */
  readonly message: string;
  readonly span: Span;
  /** What to do about it: known names, "did you mean". */
  readonly hints: readonly string[];
}

export interface Position {
  readonly line: number;
  readonly column: number;
  /** The whole line without its end. */
  readonly lineText: string;
  /** Offset of the line in the source. */
  readonly lineStart: number;
}

/** Line and column (both from 1, columns in characters) of an offset. */
export const positionOf = ({ text }: Source, offset: number): Position => {
  const at = Math.min(Math.max(offset, 0), text.length);
  const lineStart = text.lastIndexOf('\n', at - 1) + 1;
  const newline = text.indexOf('\n', lineStart);
  const lineText = text.slice(lineStart, newline === -1 ? text.length : newline).replace(/\r$/, '');
  let line = 1;
  for (let i = text.indexOf('\n'); i !== -1 && i < lineStart; i = text.indexOf('\n', i + 1)) line++;
  return { line, column: [...text.slice(lineStart, at)].length + 1, lineText, lineStart };
};

const WIDEST_EXCERPT = 120;
const WIDEST_MARKER = 60;
const LEAD = 40;

/** One cell per character, so that the marker stands under what it means. */
const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, ' ');

const excerpt = (span: Span, { column, lineText, lineStart }: Position): { line: string; marker: string } => {
  const marked = [...lineText.slice(span.start - lineStart, Math.max(span.end - lineStart, 0))].length;
  const characters = [...printable(lineText)];
  const length = Math.max(1, Math.min(marked, WIDEST_MARKER));
  const skip = characters.length > WIDEST_EXCERPT ? Math.max(0, column - 1 - LEAD) : 0;
  const shown = characters.slice(skip, skip + WIDEST_EXCERPT);
  const [before, after] = [skip > 0 ? '…' : '', skip + WIDEST_EXCERPT < characters.length ? '…' : ''];
  return {
    line: `${before}${shown.join('')}${after}`.trimEnd(),
    marker: ' '.repeat(before.length + column - 1 - skip) + '^'.repeat(length),
  };
};

/** `file:line:column: message`, the line, a marker under the very key or value, and what to do. */
const renderDiagnostic = ({ code, message, span, hints }: Diagnostic): string => {
  const position = positionOf(span.source, span.start);
  const { line, marker } = excerpt(span, position);
  const number = String(position.line);
  const gutter = ' '.repeat(number.length);
  return [
    `${span.source.name}:${position.line}:${position.column}: ${message} [${code}]`,
    `  ${number} | ${line}`.trimEnd(),
    `  ${gutter} | ${marker}`,
    ...hints.map((hint) => `  ${gutter} = ${hint}`),
  ].join('\n');
};

/** In reading order: the file first, then the arguments; equal places by code. */
const inReadingOrder = (a: Diagnostic, b: Diagnostic): number =>
  Number(a.span.source.name === '--set') - Number(b.span.source.name === '--set') ||
  a.span.start - b.span.start ||
  a.code.localeCompare(b.code) ||
  a.message.localeCompare(b.message);

/** All problems, sorted, without repetitions, with a line that counts them. */
const renderDiagnostics = (diagnostics: readonly Diagnostic[]): string => {
  const sorted = diagnostics.toSorted(inReadingOrder);
  const texts = [...new Set(sorted.map(renderDiagnostic))];
  return `${texts.join('\n\n')}\n\n${texts.length === 1 ? '1 problem' : `${texts.length} problems`}; nothing was run.`;
};

/** A request that cannot be run. The command line exits 2. */
export const requestError = userErrors('request');

/** One problem as machines read it. */
const factOf = ({ code, message, span, hints }: Diagnostic): Facts => {
  const { line, column } = positionOf(span.source, span.start);
  return { code, message, file: span.source.name, line, column, hints };
};

/** Names and paths of a file may be as long as the file. */
const LONGEST_TEXT = 1000;

const readable = ({ message, hints, ...rest }: Diagnostic): Diagnostic => ({
  ...rest,
  message: shortened(message, LONGEST_TEXT),
  hints: hints.map((hint) => shortened(hint, LONGEST_TEXT)),
});

/** Every problem of a request at once: rendered for people, and as facts for machines. */
export const requestProblems = (diagnostics: readonly Diagnostic[]): UserError => {
  const problems = diagnostics.map(readable);
  return requestError(renderDiagnostics(problems), { facts: { problems: problems.map(factOf) } });
};
