import type { LiveNews, RunDetails, RunRow, RunRows } from '../shapes.ts';
import { listenToQuestions } from './ask.ts';
import { compare } from './comparison.ts';
import { part, partOf, say } from './dom.ts';
import { drawList } from './list.ts';
import { showNews, showRun } from './run.ts';
import { read, wordsOf } from './server.ts';
import { drawTradeoff } from './tradeoff.ts';

/** What the page shows: the address says which, so that it survives loading the page again. */
interface State {
  rows: RunRows;
  selected: string;
  picked: readonly string[];
  stream: EventSource | undefined;
  /** The row that the shown run had when its report was read. */
  seen: string;
}

const state: State = { rows: { folder: '', runs: [] }, selected: '', picked: [], stream: undefined, seen: '' };

const rowOf = (id: string): RunRow | undefined => state.rows.runs.find((row) => row.id === id);

const draw = (): void => {
  drawList(state.rows, state);
  drawTradeoff(state.rows.runs, state.selected);
};

/** The list has the newest first: the older of two is what the newer one is compared with. */
const olderFirst = (ids: readonly string[]): readonly string[] => {
  const at = (id: string): number => state.rows.runs.findIndex((row) => row.id === id);
  return ids.toSorted((a, b) => at(b) - at(a));
};

const showSelected = async (): Promise<void> => {
  const row = rowOf(state.selected);
  if (row === undefined) return;
  state.seen = JSON.stringify(row);
  const details = await read<RunDetails>(`runs/${row.id}`);
  if (details.id === state.selected) showRun(details);
};

/** Reads the list again; the run that is shown, too, where its row is another one. */
const refresh = async (): Promise<void> => {
  state.rows = await read<RunRows>('runs');
  draw();
  if (JSON.stringify(rowOf(state.selected)) !== state.seen) await showSelected();
};

const GONE = 'decant does not answer: where it has ended, start decant ui again and open its new address.';

const tried = (work: Promise<void>): void =>
  void work.catch((error: unknown) => say('lost', `${GONE} (${wordsOf(error)})`));

/** One stream for all that changes: of the list, and of the run that is shown. */
const follow = (): void => {
  state.stream?.close();
  const stream = new EventSource(state.selected === '' ? 'events' : `runs/${state.selected}/events`);
  stream.addEventListener('runs', () => tried(refresh()));
  stream.addEventListener('live', ({ data }: MessageEvent<string>) => showNews(JSON.parse(data) as LiveNews));
  stream.addEventListener('error', () => say('lost', GONE));
  stream.addEventListener('open', () => say('lost', ''));
  state.stream = stream;
};

const writeAddress = (): void => {
  const hash = new URLSearchParams();
  if (state.selected !== '') hash.set('run', state.selected);
  if (state.picked.length > 0) hash.set('compare', state.picked.join());
  history.replaceState(null, '', `#${hash}`);
};

const select = async (id: string): Promise<void> => {
  const isNew = rowOf(id) !== undefined && id !== state.selected;
  if (isNew) state.selected = id;
  writeAddress();
  if (!isNew) return;
  draw();
  await showSelected();
  follow();
};

const pick = async (ids: readonly string[]): Promise<void> => {
  state.picked = ids.filter((id) => rowOf(id) !== undefined).slice(-2);
  writeAddress();
  draw();
  await compare(state.picked.length === 2 ? olderFirst(state.picked) : []);
};

const listen = (): void => {
  part('runs-table').addEventListener('change', ({ target }) => {
    if (!(target instanceof HTMLInputElement)) return;
    const rest = state.picked.filter((id) => id !== target.value);
    tried(pick(target.checked ? [...rest, target.value] : rest));
  });
  part('tradeoff').addEventListener('click', ({ target }) => {
    const id = target instanceof SVGElement ? target.dataset.run : undefined;
    if (id !== undefined) tried(select(id));
  });
  addEventListener('hashchange', () => tried(select(new URLSearchParams(location.hash.slice(1)).get('run') ?? '')));
  listenToQuestions(() => state.selected);
};

const start = async (): Promise<void> => {
  const hash = new URLSearchParams(location.hash.slice(1));
  listen();
  await refresh();
  const running = state.rows.runs.find((row) => row.state === 'running');
  const first = rowOf(hash.get('run') ?? '') ?? running ?? state.rows.runs[0];
  if (first === undefined) follow();
  else await select(first.id);
  const picked = hash.get('compare')?.split(',') ?? [];
  if (picked.length > 0) await pick(picked);
  partOf('runs-table', HTMLTableElement).dataset.ready = 'true';
};

tried(start());
