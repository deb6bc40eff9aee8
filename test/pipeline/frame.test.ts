import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { around, cutLine, Frame } from '../../pipeline/view/frame.ts';
import { progressLine } from '../../pipeline/view/progress-line.ts';
import { terminalWidth } from '../../reports/text.ts';
import { testTerminal } from '../rig/terminal.ts';

const ESCAPE = String.fromCharCode(27);
const [RED, RESET] = [`${ESCAPE}[31m`, `${ESCAPE}[39m`];

const words = fc
  .string({ unit: fc.constantFrom('a', 'b', ' ', 'é', '漢', '字', '…'), maxLength: 70 })
  .map((text) => `|${text}|`);
const frames = fc.array(words, { minLength: 1, maxLength: 6 });
const sizes = fc.array(fc.record({ columns: fc.integer({ min: 12, max: 60 }), lines: frames }), {
  minLength: 2,
  maxLength: 5,
});

const plain = (text: string): string => text.replaceAll(RED, '').replaceAll(RESET, '');

describe('lines that are cut', () => {
  it('take no more cells than there are, keep their styles and their beginning', () => {
    fc.assert(
      fc.property(words, words, fc.integer({ min: 1, max: 80 }), (a, b, most) => {
        const line = `${RED}${a}${RESET}${b}`;
        const cut = cutLine(line, most);
        expect(terminalWidth(plain(cut))).toBeLessThanOrEqual(most);
        expect([cut.includes(RED), cut.includes(RESET)]).toEqual([true, true]);
        if (terminalWidth(a + b) <= most) expect(cut).toBe(line);
        else expect((a + b).startsWith(plain(cut).slice(0, -1))).toBe(true);
      }),
    );
  });

  it('are those around the one that matters where not all fit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 30 }), fc.nat(59), (count, most, at) => {
        const lines = Array.from({ length: count }, (_, i) => i);
        const focus = Math.min(at, count - 1);
        const shown = around(lines, focus, most);
        expect(shown.length).toBe(Math.min(count, most));
        expect(shown).toContain(focus);
      }),
    );
  });
});

describe('a frame in a terminal', () => {
  it('leaves nothing behind and breaks no line, however the window is drawn', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async (steps) => {
        const terminal = testTerminal(60, 12);
        const written: string[] = [];
        const frame = new Frame({
          get columns() {
            return terminal.columns;
          },
          get rows() {
            return terminal.rows;
          },
          write: (text) => written.push(text),
        });
        const flush = async (): Promise<void> => await terminal.write(written.splice(0).join(''));
        await terminal.write('before\n');
        for (const { columns, lines } of steps) {
          terminal.resize(columns);
          frame.draw(lines);
          await flush();
          const expected = lines.map((line) => cutLine(line, columns).trimEnd());
          expect(terminal.shown()).toEqual(['before', ...expected]);
          expect(terminal.broken()).toEqual([]);
        }
        frame.clear();
        await flush();
        expect(terminal.shown()).toEqual(['before']);
      }),
      { numRuns: 60 },
    );
  });

  it('is no higher than the terminal', async () => {
    const terminal = testTerminal(40, 5);
    const written: string[] = [];
    const frame = new Frame({ columns: 40, rows: 5, write: (text) => written.push(text) });
    for (let round = 0; round < 3; round++) frame.draw(Array.from({ length: 9 }, (_, i) => `line ${i} of ${round}`));
    await terminal.write(written.join(''));
    expect(terminal.shown()).toEqual([0, 1, 2, 3].map((i) => `line ${i} of 2`));
  });

  it('holds the line of progress of any command, too', async () => {
    const terminal = testTerminal(60, 6);
    const written: string[] = [];
    let now = 0;
    const screen = {
      isTTY: true,
      get columns() {
        return terminal.columns;
      },
      write: (text: string) => written.push(text),
    };
    const line = progressLine(screen, () => now);
    for (const columns of [60, 24, 50, 14]) {
      terminal.resize(columns);
      now += 1000;
      line.show('some file of a long name', { done: now, total: 9000, unit: 'texts' });
      await terminal.write(written.splice(0).join(''));
      expect(terminal.shown().length).toBe(1);
    }
    line.clear();
    await terminal.write(written.splice(0).join(''));
    expect(terminal.shown()).toEqual([]);
  });
});
