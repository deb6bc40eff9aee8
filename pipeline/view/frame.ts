import { stripVTControlCharacters } from 'node:util';
import { terminalWidth } from '../../reports/text.ts';

/** A terminal, as wide and as high as it is at the moment. */
export interface Terminal {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

const ESCAPE = `${String.fromCharCode(27)}[`;
const STYLE = new RegExp(`(${ESCAPE.replace('[', '\\[')}[\\d;]*m)`);
/** Lines that are longer than they seem, as of characters of a doubtful width, end at the edge instead of breaking. */
const [NO_WRAP, WRAP] = [`${ESCAPE}?7l`, `${ESCAPE}?7h`];
const [HIDE_CURSOR, SHOW_CURSOR] = [`${ESCAPE}?25l`, `${ESCAPE}?25h`];

const widthOf = (text: string): number => terminalWidth(stripVTControlCharacters(text));

/** A line with styles, cut to `most` cells with an ellipsis; the styles stay, so that none goes on behind it. */
export const cutLine = (line: string, most: number): string => {
  if (widthOf(line) <= most) return line;
  let room = most - 1;
  const parts = line.split(STYLE).map((part) => {
    if (STYLE.test(part)) return part;
    let kept = '';
    for (const character of part) {
      const cells = terminalWidth(character);
      if (cells > room) {
        if (room >= 0 && most > 0) kept = `${kept.trimEnd()}…`;
        room = -1;
        break;
      }
      room -= cells;
      kept += character;
    }
    return kept;
  });
  return parts.join('');
};

/** Rows of a terminal that a line takes once the terminal is so narrow. */
const rowsOf = (line: string, columns: number): number => {
  let [rows, at] = [1, 0];
  for (const character of stripVTControlCharacters(line)) {
    const cells = terminalWidth(character);
    if (at + cells > columns) [rows, at] = [rows + 1, 0];
    at += cells;
  }
  return rows;
};

/** As many lines as fit, those around one of them. */
export const around = <T>(lines: readonly T[], focus: number, most: number): readonly T[] => {
  const start = Math.max(0, Math.min(focus - Math.floor(most / 2), lines.length - most));
  return lines.slice(start, start + Math.max(0, most));
};

/** Lines at the end of a terminal that are drawn over again and again, also when it has become narrower. */
export class Frame {
  readonly #terminal: Terminal;
  #drawn: readonly string[] = [];

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  get columns(): number {
    return this.#terminal.columns || 80;
  }

  /** Lines that can be drawn: the cursor waits below them. */
  get height(): number {
    return Math.max(1, (this.#terminal.rows || 24) - 1);
  }

  draw(lines: readonly string[]): void {
    const shown = lines.slice(0, this.height).map((line) => cutLine(line, this.columns));
    const text = shown.map((line) => `${line}\n`).join('');
    this.#terminal.write(`${this.#eraser()}${NO_WRAP}${text}${WRAP}`);
    this.#drawn = shown;
  }

  /** Leaves the terminal as it was before. */
  clear(): void {
    this.#terminal.write(this.#eraser());
    this.#drawn = [];
  }

  /** A cursor that blinks below lines that move helps nobody. Whoever hides it shows it again, whatever happens. */
  showCursor(shown: boolean): void {
    this.#terminal.write(shown ? SHOW_CURSOR : HIDE_CURSOR);
  }

  /** A terminal that has become narrower breaks the lines that are there: they take more rows than were written. */
  #eraser(): string {
    const rows = this.#drawn.reduce((sum, line) => sum + rowsOf(line, this.columns), 0);
    return `${rows === 0 ? '' : `${ESCAPE}${rows}A`}\r${ESCAPE}J`;
  }
}
