import type { IncomingMessage, ServerResponse } from 'node:http';
import { isUserError } from '../../ground/errors.ts';
import { loadReport } from '../../reports/load.ts';
import { ask, questionIn } from './ask.ts';
import type { Assets } from './assets.ts';
import { detailsOf } from './details.ts';
import type { RunPlace } from './places.ts';
import { type Answer, jsonAnswer, jsonIn, refuseWith, send } from './responses.ts';
import type { Runs } from './runs.ts';
import type { Comparison, RunRows } from './shapes.ts';
import { openStream } from './stream.ts';
import type { Turns } from './turns.ts';

/** What answers are made from. */
export interface Site {
  readonly runs: Runs;
  readonly assets: Assets;
  /** Models are asked one after the other, and reports are rendered one after the other. */
  readonly asking: Turns;
  readonly rendering: Turns;
  /** Streams that are open. */
  readonly streams: Set<ServerResponse>;
}

interface Asked {
  readonly site: Site;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Over when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

const MOST_STREAMS = 16;

const missing: Answer = { status: 404, type: 'text', body: 'no such page\n' };
const busy: Answer = { status: 503, type: 'text', body: 'too much waits already; ask again in a moment\n' };

const onlyBy = (method: string): Answer => ({
  ...{ status: 405, type: 'text', body: `expected ${method}\n`, headers: { allow: method } },
});

const rowsAnswer = async ({ runs }: Site): Promise<Answer> => {
  const rows: RunRows = { folder: runs.folder, runs: await runs.rows() };
  return jsonAnswer(rows);
};

const stream = ({ site, response }: Asked, place?: RunPlace): undefined => {
  const { streams, runs } = site;
  if (streams.size >= MOST_STREAMS) {
    send(response, busy);
    return;
  }
  streams.add(response);
  response.once('close', () => streams.delete(response));
  openStream(response, runs, place);
};

const reportPage = async (place: RunPlace): Promise<Answer> => {
  const { renderHtml } = await import('../../reports/html/page.ts');
  return { type: 'html', policy: 'report', body: await renderHtml(await loadReport(place.folder)) };
};

const comparison = async (before: RunPlace, after: RunPlace): Promise<Answer> => {
  const { compareReports } = await import('../api/reports.ts');
  const { viewOf } = await import('../../reports/diff/view.ts');
  const compared: Comparison = viewOf(await compareReports(before.folder, after.folder, {}));
  return jsonAnswer(compared);
};

const rendered = async ({ site, signal }: Asked, work: () => Promise<Answer>): Promise<Answer> =>
  (await site.rendering.take(work, signal)) ?? busy;

/** What is read of a run. */
const ofRun = async (
  asked: Asked,
  place: RunPlace,
  [what, other, ...more]: readonly string[],
): Promise<Answer | undefined> => {
  const { runs } = asked.site;
  const against = other === undefined ? undefined : await runs.find(other);
  if (more.length > 0) return missing;
  if (what === 'against' && against !== undefined) return await rendered(asked, () => comparison(place, against));
  if (other !== undefined) return missing;
  switch (what) {
    case undefined:
      return jsonAnswer(await detailsOf(place));
    case 'ask':
      return onlyBy('POST');
    case 'events':
      return stream(asked, place);
    case 'report':
      return place.report === null ? missing : await rendered(asked, () => reportPage(place));
    default:
      return missing;
  }
};

const read = async (asked: Asked, [what = '', id, ...rest]: readonly string[]): Promise<Answer | undefined> => {
  const { site } = asked;
  if (id === undefined) {
    if (what === 'runs') return await rowsAnswer(site);
    if (what === 'events') return stream(asked);
    return site.assets.get(what) ?? missing;
  }
  const place = what === 'runs' ? await site.runs.find(id) : undefined;
  return place === undefined ? missing : await ofRun(asked, place, rest);
};

const askModel = async ({ site, request, response, signal }: Asked, place: RunPlace): Promise<Answer | undefined> => {
  const body = await jsonIn(request);
  if ('status' in body) {
    refuseWith(response, body);
    return undefined;
  }
  const question = await questionIn(body.value, place);
  if (question === undefined) return { status: 400, type: 'text', body: 'expected a model of the run and a text\n' };
  const answer = await site.asking.take(() => ask(place, question, signal), signal);
  return answer === undefined ? busy : jsonAnswer(answer);
};

const write = async (asked: Asked, parts: readonly string[]): Promise<Answer | undefined> => {
  const [what, id = '', verb] = parts;
  if (what !== 'runs' || verb !== 'ask' || parts.length !== 3) return onlyBy('GET');
  const place = await asked.site.runs.find(id);
  return place === undefined ? missing : await askModel(asked, place);
};

/** What is wrong with files of the user is told; anything else is a bug, whose words may say too much. */
const failed = (error: unknown): Answer =>
  isUserError(error)
    ? { status: 422, type: 'text', body: `${error.message}\n` }
    : { status: 500, type: 'text', body: `a bug of decant: ${error instanceof Error ? error.message : 'unknown'}\n` };

/** Answers a request that was let in: `path` is what it asks for. Every id in it is looked up, nothing is joined to a path. */
export const answer = async (site: Site, request: IncomingMessage, response: ServerResponse, path: string) => {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const asked = { site, request, response, signal: gone.signal };
  const parts = path.split('/');
  try {
    const made = await (request.method === 'POST' ? write(asked, parts) : read(asked, parts));
    if (made !== undefined) send(response, made);
  } catch (error) {
    send(response, failed(error));
  }
};
