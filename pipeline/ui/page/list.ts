import type { RunRow, RunRows } from '../shapes.ts';
import { element, partOf, say } from './dom.ts';

/** What is chosen: the run that is shown, and two that are compared at most. */
export interface Choice {
  readonly selected: string;
  readonly picked: readonly string[];
}

const nameCell = ({ id, run, problem }: RunRow, selected: string): HTMLElement =>
  element(
    'th',
    { scope: 'row', class: 'text' },
    element('a', { href: `#run=${id}`, id: `show-${id}`, ...(id === selected ? { 'aria-current': 'true' } : {}) }, run),
    problem === null ? null : element('small', {}, ` ${problem}`),
  );

const pickCell = ({ id, run, ended }: RunRow, picked: readonly string[]): HTMLElement =>
  element(
    'td',
    { class: 'text' },
    ended !== ''
      ? element('input', {
          ...{ type: 'checkbox', id: `pick-${id}`, value: id, 'aria-label': `compare ${run}` },
          checked: picked.includes(id),
        })
      : null,
  );

const text = (said: string, kind = ''): HTMLElement => element('td', { class: `text${kind}` }, said);

const rowOf = (row: RunRow, { selected, picked }: Choice): HTMLElement => {
  const best = row.points.find(({ headline }) => headline);
  return element(
    'tr',
    row.id === selected ? { class: 'chosen' } : {},
    nameCell(row, selected),
    pickCell(row, picked),
    text(row.state, ` state-${row.state}`),
    text(row.ended),
    element('td', {}, row.took),
    text(row.result),
    element('td', {}, best?.bytesText ?? ''),
    element('td', {}, best?.p50Text ?? ''),
    text(row.asked),
  );
};

const noteOf = ({ folder, runs }: RunRows): string => {
  if (runs.length === 0) return `${folder} holds no runs yet: decant run leaves them there, and they appear here.`;
  const running = runs.filter(({ state }) => state === 'running').length;
  const unread = runs.filter(({ state }) => state === 'reading').length;
  const parts = [
    `${runs.length} ${runs.length === 1 ? 'run' : 'runs'}, the newest first`,
    ...(running === 0 ? [] : [`${running} running`]),
    ...(unread === 0 ? [] : [`${unread} still to be read`]),
  ];
  return `${parts.join('; ')}. Tick two to compare them.`;
};

/** Draws the list anew; what had the focus keeps it. */
export const drawList = (rows: RunRows, choice: Choice): void => {
  const [body] = partOf('runs-table', HTMLTableElement).tBodies;
  const focused = document.activeElement?.id ?? '';
  const held = body?.contains(document.activeElement) === true;
  body?.replaceChildren(...rows.runs.map((row) => rowOf(row, choice)));
  if (held) document.getElementById(focused)?.focus({ preventScroll: true });
  say('runs-note', noteOf(rows));
};
