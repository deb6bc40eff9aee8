import type { ServerResponse } from 'node:http';
import type { RunPlace } from './places.ts';
import { headersFor } from './responses.ts';
import type { Runs } from './runs.ts';
import type { LiveNews } from './shapes.ts';

/** How often a page is told what is new. */
const TICK_MS = 500;
/** A page that has gone is noticed by what it no longer takes. */
const SIGN_MS = 15_000;
/** A page that reads nothing is not written to for ever. */
const MOST_UNREAD = 4 * 1024 * 1024;

/** What one page was told last. */
interface Told {
  revision: number;
  live: string;
  key: string;
  points: number;
  at: number;
}

/** What has come of a run's log since a page was told last; undefined for nothing. */
const newsOf = async (runs: Runs, place: RunPlace, told: Told): Promise<LiveNews | undefined> => {
  const followed = await runs.logOf((await runs.find(place.id)) ?? place);
  if (followed === undefined || followed.progress.last === 0) return undefined;
  const { live } = followed;
  const { points } = followed.progress;
  if (live.key !== told.key) [told.key, told.points] = [live.key, 0];
  const text = JSON.stringify(live);
  if (text === told.live && told.points === points.length) return undefined;
  const news = { live, points: points.slice(told.points) };
  [told.live, told.points] = [text, points.length];
  return news;
};

/** Server-sent events to one page: that the list is another one, and how far the run is that it shows. */
export const openStream = (response: ServerResponse, runs: Runs, place: RunPlace | undefined): void => {
  const told: Told = { revision: -1, live: '', key: '', points: 0, at: 0 };
  const say = (text: string): void => {
    told.at = performance.now();
    response.write(text);
  };
  const tick = async (): Promise<void> => {
    await runs.rows();
    if (runs.revision !== told.revision) say(`event: runs\ndata: ${runs.revision}\n\n`);
    told.revision = runs.revision;
    const news = place === undefined ? undefined : await newsOf(runs, place, told);
    if (news !== undefined) say(`event: live\ndata: ${JSON.stringify(news)}\n\n`);
    if (performance.now() - told.at > SIGN_MS) say(': still here\n\n');
    if (response.writableLength > MOST_UNREAD) response.destroy();
  };
  response.writeHead(200, headersFor({ type: 'events' }));
  let timer: NodeJS.Timeout | undefined;
  const next = (): void => {
    void tick()
      .catch(() => response.destroy())
      .finally(() => {
        if (!response.destroyed && !response.writableEnded) timer = setTimeout(next, TICK_MS);
      });
  };
  response.once('close', () => clearTimeout(timer));
  next();
};
