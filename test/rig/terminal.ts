import xterm from '@xterm/headless';

/** A terminal without a window, which breaks the lines that are there when it becomes narrower, as most do. */
export interface TestTerminal {
  readonly columns: number;
  readonly rows: number;
  write(text: string): Promise<void>;
  resize(columns: number, rows?: number): void;
  /** All that it shows, what was scrolled away included; one entry a row. */
  shown(): readonly string[];
  /** Rows that go on with the text of the row above. */
  broken(): readonly string[];
}

export const testTerminal = (columns: number, rows: number): TestTerminal => {
  const terminal = new xterm.Terminal({
    cols: columns,
    rows,
    scrollback: 1000,
    convertEol: true,
    allowProposedApi: true,
  });
  const lines = () => {
    const { active } = terminal.buffer;
    return Array.from({ length: active.length }, (_, i) => active.getLine(i));
  };
  return {
    get columns() {
      return terminal.cols;
    },
    get rows() {
      return terminal.rows;
    },
    write: (text) => new Promise((done) => terminal.write(text, done)),
    resize: (narrow, low = terminal.rows) => terminal.resize(narrow, low),
    shown: () => {
      const texts = lines().map((line) => line?.translateToString(true) ?? '');
      return texts.slice(0, texts.findLastIndex((text) => text !== '') + 1);
    },
    broken: () => lines().flatMap((line) => (line?.isWrapped === true ? [line.translateToString(true)] : [])),
  };
};
