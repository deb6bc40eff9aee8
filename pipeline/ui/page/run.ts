import type { CurvePoint, LiveNews, LiveRun, RunDetails } from '../shapes.ts';
import { offer } from './ask.ts';
import { drawCurves } from './curves.ts';
import { element, part, partOf, say } from './dom.ts';
import { tableOf } from './tables.ts';

/** The curves of a run while it is watched; a run that begins again has others. */
interface Watched {
  key: string;
  points: CurvePoint[];
}

const watched: Watched = { key: '', points: [] };
let shown = '';

const states: Readonly<Record<LiveRun['rows'][number]['state'], string>> = {
  waiting: '○',
  running: '◐',
  done: '●',
  reused: '●',
  failed: '✕',
};

/** Shows what is known of a run from its report. */
export const showRun = (details: RunDetails): void => {
  const { id, run, verdict, problem, stages, notes, models, hasReport } = details;
  const isSame = shown === id;
  if (!isSame) {
    [watched.key, watched.points] = ['', []];
    part('live').hidden = true;
  }
  shown = id;
  part('run').hidden = false;
  say('run-title', run);
  say('run-verdict', verdict);
  say('run-problem', problem ?? '');
  part('stages').replaceChildren(
    ...(stages === null ? [] : [tableOf(`Stages of ${run}`, stages)]),
    ...notes.map((note) => element('p', { class: 'note' }, `${note}.`)),
  );
  part('report').replaceChildren(
    ...(hasReport
      ? [element('a', { href: `runs/${id}/report`, target: '_blank', rel: 'noopener' }, 'The whole report')]
      : []),
  );
  if (watched.points.length === 0) drawCurves(part('curves'), details.curves, details.scores);
  offer(models, isSame);
};

const showProgress = ({ title, rows, now, left, share, end }: LiveRun): void => {
  part('live').hidden = end === 'complete';
  const done = rows.filter(({ state }) => state === 'done' || state === 'reused').length;
  say('live-title', `${title}: ${done} of ${rows.length} done`);
  say('live-now', now);
  say('live-left', left === '' ? '' : `The whole run: ${left}.`);
  const bar = partOf('live-bar', HTMLProgressElement);
  bar.hidden = end !== null;
  if (share === null) bar.removeAttribute('value');
  else bar.value = share;
  part('live-rows').replaceChildren(
    ...rows.map(({ title: name, state, note }) =>
      element(
        'li',
        { class: `state-${state}` },
        element('span', { 'aria-hidden': 'true' }, `${states[state]} `),
        `${name}: ${state}${note === '' ? '' : `, ${note}`}`,
      ),
    ),
  );
};

/** Shows what is new of a run that is watched. Curves of the report stay until there are newer ones. */
export const showNews = ({ live, points }: LiveNews): void => {
  if (live.key !== watched.key) [watched.key, watched.points] = [live.key, []];
  watched.points.push(...points);
  showProgress(live);
  // A run that has ended is told by its report; time that passes draws nothing anew.
  if (live.end !== 'complete' && points.length > 0) {
    drawCurves(part('curves'), watched.points, live.scores);
  }
};
