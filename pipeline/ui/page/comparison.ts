import type { Comparison } from '../shapes.ts';
import { element, part } from './dom.ts';
import { read, wordsOf } from './server.ts';
import { tableOf } from './tables.ts';

const columns = ['stage', 'figure', 'A', 'B', 'B against A [interval]', 'verdict'];

const body = ({ verdict, sides, rows, note, facts }: Comparison): readonly HTMLElement[] => [
  element('p', { class: 'verdict' }, verdict),
  element('p', {}, `A: ${sides[0]}`, element('br'), `B: ${sides[1]}`),
  ...(rows.length === 0
    ? []
    : [
        tableOf(
          'Comparisons',
          {
            columns,
            rows: rows.map((row) => ({
              strong: row.clear,
              cells: [row.stage, row.figure, row.before, row.after, row.change, row.verdict],
            })),
          },
          ['figure', 'verdict'],
        ),
        element('p', { class: 'note' }, note),
      ]),
  ...facts.flatMap(({ title, items }) => [
    element('h3', {}, title),
    element('ul', {}, ...items.map((item) => element('li', {}, item))),
  ]),
];

let asked = 0;

/** Shows two runs side by side, the older one first; nothing where there are not two. */
export const compare = async (picked: readonly string[]): Promise<void> => {
  const [before, after] = picked;
  const mine = ++asked;
  part('comparison').hidden = after === undefined;
  if (before === undefined || after === undefined) return;
  const into = part('comparison-body');
  into.replaceChildren(element('p', { role: 'status' }, 'Comparing.'));
  const shown = await read<Comparison>(`runs/${before}/against/${after}`).then(body, (error: unknown) => [
    element('p', { class: 'warning', role: 'alert' }, wordsOf(error)),
  ]);
  // Two others may have been picked meanwhile.
  if (mine === asked) into.replaceChildren(...shown);
};
