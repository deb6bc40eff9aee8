import { EOL } from 'node:os';
import {
  DefaultRenderer,
  type ListrDefaultRendererOptions,
  type ListrDefaultRendererTask,
  type ListrEventManager,
} from 'listr2';
import { around, cutLine, Frame } from './frame.ts';

/** A list whose lines are cut to the terminal as it is now, with a line below them that tells of the whole. */
export const rendererOver = (status: (columns: number) => string): typeof DefaultRenderer =>
  class extends DefaultRenderer {
    readonly #rows: readonly ListrDefaultRendererTask[];
    #frame: Frame | undefined;
    #redraw = (): void => this.update();
    #leave = (): void => this.#frame?.showCursor(true);

    constructor(tasks: ListrDefaultRendererTask[], options: ListrDefaultRendererOptions, events: ListrEventManager) {
      super(tasks, options, events);
      this.#rows = tasks;
    }

    override async render(): Promise<void> {
      const { stdout } = process;
      // The list takes over what is written to the terminal from here on.
      const write = stdout.write.bind(stdout);
      this.#frame = new Frame({
        get columns() {
          return stdout.columns;
        },
        get rows() {
          return stdout.rows;
        },
        write: (text) => write(text),
      });
      this.#frame.showCursor(false);
      stdout.on('resize', this.#redraw);
      process.on('exit', this.#leave);
      await super.render();
    }

    override update(): void {
      if (this.#frame === undefined) return;
      const { columns, height } = this.#frame;
      const ended = this.#rows.filter((row) => row.isCompleted() || row.hasFailed()).length;
      const lines = around(super.create().split(EOL), ended, height - 1);
      this.#frame.draw([...lines, status(columns)]);
    }

    override create(): string {
      const columns = this.#frame?.columns ?? 80;
      const lines = super.create().split(EOL);
      return lines.map((line) => cutLine(line, columns)).join(EOL);
    }

    override end(): void {
      process.stdout.off('resize', this.#redraw);
      process.off('exit', this.#leave);
      this.#frame?.clear();
      this.#frame?.showCursor(true);
      super.end();
    }

    /** Lines are cut when they are shown: the list keeps those of rows that have ended. */
    protected override format(message: string, icon: string, level: number): string[] {
      if (message.trim() === '') return [];
      return [`${'  '.repeat(level)}${icon === '' ? '' : `${icon} `}${message}`];
    }
  };
