import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, readdirSync, readFileSync, renameSync, statSync, truncateSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openUi } from '../../dist/pipeline/api/index.js';
import type { LiveNews, RunDetails, RunRow } from '../../pipeline/ui/shapes.ts';
import { root } from '../rig/build.ts';
import { decant } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';
import { type OpenPage, openPage } from './page.ts';

const space = workspace();
const golden = (name: string): string => `${root}test/golden/reports/${name}`;
let page: OpenPage;

const PATIENCE = { timeout: 300_000 };

/** Names, sizes and times of everything in a folder. */
const imageOf = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) => {
    const path = join(entry.parentPath, entry.name);
    const { size, mtimeMs, mode } = statSync(path);
    return `${path} ${entry.isFile() ? size : ''} ${mtimeMs} ${mode}`;
  });

let before: readonly string[];

beforeAll(async () => {
  for (const name of ['before', 'texts', 'tags', 'vectors']) {
    cpSync(golden(name), space.path('runs', name), { recursive: true });
  }
  cpSync(golden('before'), space.path('runs', 'texts', 'history', '2'), { recursive: true });
  space.write('runs/broken/report.json', '{"schema":"decant.report/1"}');
  space.write('runs/<img src=x>/report.json', readFileSync(`${golden('before')}/report.json`));
  space.write('runs/note.txt', 'no run');
  before = imageOf(space.path('runs'));
  page = await openPage(space.path('runs'));
});
afterAll(async () => {
  await page.close();
  space[Symbol.dispose]();
});

const listed = async (at = page): Promise<readonly RunRow[]> => JSON.parse((await at.get('runs')).body).runs;

/** The list once every report is read. */
const whole = async (at = page): Promise<readonly RunRow[]> => {
  await expect.poll(async () => (await listed(at)).filter(({ state }) => state === 'reading'), PATIENCE).toEqual([]);
  return await listed(at);
};

/** A run that begins is in the list a moment later. */
const rowOf = async (run: string): Promise<RunRow> => {
  let row: RunRow | undefined;
  const find = async (): Promise<RunRow | undefined> => {
    row = (await whole()).find((one) => one.run === run);
    return row;
  };
  await expect.poll(find, PATIENCE).toBeDefined();
  if (row === undefined) throw new Error(`no run ${run}`);
  return row;
};

const detailsOf = async (run: string): Promise<RunDetails> =>
  JSON.parse((await page.get(`runs/${(await rowOf(run)).id}`)).body);

describe('the list', () => {
  it('has every report, older ones too, with what decant runs says of them', async () => {
    const rows = await whole();
    expect(rows.map(({ run, state }) => [run, state]).toSorted()).toEqual(
      [
        ['<img src=x>', 'complete'],
        ['before', 'complete'],
        ['broken', 'unreadable'],
        ['tags', 'complete'],
        ['texts', 'complete'],
        ['texts@2', 'complete'],
        ['vectors', 'complete'],
      ].toSorted(),
    );
    const { stdout } = await decant(['runs', space.path('runs'), '--json']);
    const told: readonly { name: string; run: string; headline: { stage: string; text: string } | null }[] =
      JSON.parse(stdout).runs;
    const results = told.flatMap(({ headline }) => (headline === null ? [] : [`${headline.stage} ${headline.text}`]));
    expect(
      rows
        .map(({ result }) => result)
        .filter((result) => result !== '')
        .toSorted(),
    ).toEqual(results.toSorted());
  });

  it('gives points for pictures: the figures of the report', async () => {
    const report = JSON.parse(readFileSync(`${golden('before')}/report.json`, 'utf8'));
    const { points, metric } = await rowOf('before');
    const models = report.stages.filter(
      (stage: { model: unknown; quality: unknown }) => stage.model !== null && stage.quality !== null,
    );
    expect(points.map(({ stage, bytes }) => [stage, bytes])).toEqual(
      models.map((stage: { id: string; model: { bytes: number } }) => [stage.id, stage.model.bytes]),
    );
    expect(metric).toContain('accuracy');
    expect(points.filter(({ headline }) => headline)).toHaveLength(1);
  });

  it('gives with each point the interval of its score, in numbers and in the words of the table', async () => {
    const report = JSON.parse(readFileSync(`${golden('texts')}/report.json`, 'utf8'));
    const [{ points }, { stages }] = [await rowOf('texts'), await detailsOf('texts')];
    expect(points.length).toBeGreaterThan(1);
    for (const { stage, interval, qualityText } of points) {
      const { accuracyInterval: written } = report.stages.find(({ id }: { id: string }) => id === stage).quality;
      expect(interval).toEqual({ low: 100 * written.low, high: 100 * written.high });
      expect(stages?.rows.find(({ cells }) => cells[0] === stage)?.cells[1]).toBe(qualityText);
    }
  });

  it('of one run is its reports', async () => {
    const one = await openPage(space.path('runs', 'texts'));
    expect((await whole(one)).map(({ run }) => run).toSorted()).toEqual(['texts', 'texts@2']);
    await one.close();
  });

  it('of 200 runs is there at once, and complete soon', async () => {
    for (let i = 0; i < 200; i++) {
      const folder = space.path('many', `run-${i}`);
      // What the list reads, without the rest.
      cpSync(golden('before'), folder, { recursive: true, filter: (file) => !/records.(?!r)/.test(file) });
    }
    const many = await openPage(space.path('many'));
    const rows = await listed(many);
    expect(rows).toHaveLength(200);
    // Reports are read behind it: what is asked meanwhile does not wait for them.
    expect(rows.filter(({ state }) => state === 'reading').length).toBeGreaterThan(0);
    expect((await many.get(`runs/${rows[199]?.id}`)).status).toBe(200);
    expect((await whole(many)).filter(({ state }) => state !== 'complete')).toEqual([]);
    await many.close();
  });

  it('is refused of what is no folder, and on a port that is taken', async () => {
    await expect(openUi(space.path('nowhere'))).rejects.toThrow('nowhere: no such folder; expected a folder of runs');
    await expect(openUi(space.path('runs'), { port: page.port })).rejects.toThrow(
      `port ${page.port} is in use; name another with --port`,
    );
  });
});

describe('a run', () => {
  it('shows the table of its report, scores with their intervals', async () => {
    const { stages, verdict, problem, hasReport, models } = await detailsOf('texts');
    const { stdout } = await decant(['report', space.path('runs/texts'), '--format', 'md']);
    expect({ problem, hasReport, models }).toEqual({ problem: null, hasReport: true, models: [] });
    expect(stages?.columns[1]).toMatch(/\[95 %\]$/);
    expect(stages?.rows.find(({ cells }) => cells[0] === 'int8')?.cells[1]).toMatch(/^[\d.]+ \[[\d.]+, [\d.]+\]$/);
    expect(stages?.rows.filter(({ strong }) => strong)).toHaveLength(1);
    expect(stdout.replaceAll('*', '')).toContain(verdict.replaceAll('*', ''));
  });

  it('leads to its whole report, which may load and run nothing', async () => {
    const { body, headers } = await page.get(`runs/${(await rowOf('before')).id}/report`);
    expect(body).toBe((await decant(['report', space.path('runs/before'), '--format', 'html'])).stdout);
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'unsafe-inline'; img-src data:;.*sandbox$/,
    );
  });

  it('says what is wrong with a report that was changed', async () => {
    const { problem, stages } = await detailsOf('broken');
    expect(stages).toBeNull();
    expect(problem).toContain('is damaged or of an older version');
    expect((await page.get(`runs/${(await rowOf('broken')).id}/report`)).status).toBe(422);
  });

  it('is compared with another one by the tests of decant diff', async () => {
    const [a, b] = [await rowOf('before'), await rowOf('texts')];
    const comparison = JSON.parse((await page.get(`runs/${a.id}/against/${b.id}`)).body);
    const { stdout } = await decant(['diff', space.path('runs/before'), space.path('runs/texts')]);
    expect(comparison.rows.length).toBeGreaterThan(1);
    expect(stdout.replace(/\s+/g, ' ')).toContain(comparison.verdict);
    for (const { change } of comparison.rows) expect(stdout).toContain(change);
  });
});

it('nothing of all this is written', () => {
  expect(imageOf(space.path('runs'))).toEqual(before);
});

/** What a stream says, event by event. */
const streamOf = (path: string) => {
  const news: LiveNews[] = [];
  const names: string[] = [];
  const sent = request(
    { host: '127.0.0.1', port: page.port, path: `${page.room}${path}`, headers: { cookie: page.cookie } },
    (response) => {
      let rest = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        const events = `${rest}${text}`.split('\n\n');
        rest = events.pop() ?? '';
        for (const event of events) {
          const [, name = '', data = ''] = /^event: (\w+)\ndata: (.*)$/.exec(event) ?? [];
          names.push(name);
          if (name === 'live') news.push(JSON.parse(data));
        }
      });
    },
  );
  sent.on('error', () => undefined);
  sent.end();
  return { news, names, close: () => sent.destroy() };
};

describe('a run that goes on', () => {
  const file = (): string => space.path('runs', 'going', 'events.jsonl');
  const write = (...events: readonly object[]): void => {
    const at = new Date().toISOString();
    appendFileSync(file(), events.map((event) => `${JSON.stringify({ at, ...event })}\n`).join(''));
  };
  const steps = [
    { id: 'dataset', uses: 'dataset', place: 'data' },
    { id: 'teacher', uses: 'train', place: 'named' },
    { id: 'teacher/evaluate', uses: 'evaluate', place: 'each-model' },
    { id: 'int8', uses: 'quantize', place: 'named' },
  ];
  const begin = { type: 'run-started', name: 'going', steps, seed: 1, seeds: [1], threads: 1, process: process.pid };
  const progress = (done: number, more: object = {}) => ({
    type: 'progress',
    step: 'teacher',
    progress: { done, total: 100, unit: 'steps', phase: 'epoch 1/2', loss: 2 / done, ...more },
  });

  it('is told as its events are written, each once, and begun anew where its log is', async () => {
    space.write('runs/going/events.jsonl', '');
    write(
      begin,
      { type: 'cached', step: 'dataset', seconds: 2, key: 'a' },
      { type: 'expected', seconds: { teacher: 1000, 'teacher/evaluate': 100 }, later: 0 },
    );
    const { id } = await rowOf('going');
    expect(await rowOf('going')).toMatchObject({ state: 'running', ended: '' });
    const stream = streamOf(`runs/${id}/events`);
    const left = (): string | undefined => stream.news.at(-1)?.live.left;
    await expect.poll(left, PATIENCE).toBe('about 18 m 20 s and 1 step never timed left');
    write({ type: 'started', step: 'teacher', key: 'b', why: ['x'] });
    await expect
      .poll(() => stream.news.at(-1)?.live.rows.map(({ state }) => state), PATIENCE)
      .toEqual(['reused', 'running', 'waiting']);
    write(progress(10), { type: 'progress', step: 'teacher' }, { type: 'unheard of' });
    appendFileSync(file(), 'no json\n{"type":"progress","step":"teacher"');
    await expect.poll(() => stream.news.flatMap(({ points }) => points).length, PATIENCE).toBe(1);
    appendFileSync(file(), '}\n');
    write(progress(50, { validation: { metric: 'accuracy', score: 0.5 } }));
    await expect
      .poll(() => stream.news.flatMap(({ points }) => points), PATIENCE)
      .toEqual([
        { stage: 'teacher', step: 10, loss: 0.2, score: null },
        { stage: 'teacher', step: 50, loss: 0.04, score: 50 },
      ]);
    const { live } = stream.news.at(-1) ?? {};
    expect(live).toMatchObject({ title: 'going', end: null, share: 0.5, scores: { teacher: 'accuracy %' } });
    expect(live?.now).toMatch(/^teacher: epoch 1\/2, 50\/100 steps, loss 0\.040/);
    expect(live?.left).toMatch(/^about .* and 1 step never timed left$/);
    const first = live?.key;
    renameSync(file(), `${file()}.old`);
    write({ ...begin, seed: 2 }, { type: 'started', step: 'teacher', key: 'b', why: ['x'] }, progress(1));
    await expect
      .poll(() => stream.news.at(-1)?.live.key !== first && stream.news.at(-1)?.points.length, PATIENCE)
      .toBe(1);
    expect(left()).toBe('');
    write(
      { type: 'finished', step: 'teacher', seconds: 3 },
      { type: 'failed', step: 'teacher/evaluate', message: 'no <b>texts</b>', log: null },
    );
    write({ type: 'run-finished', complete: false, seconds: 4, ran: 1, reused: 1 });
    await expect.poll(() => stream.news.at(-1)?.live.end, PATIENCE).toBe('failed');
    expect(stream.news.at(-1)?.live.rows[1]).toMatchObject({ state: 'failed', note: '3.0 s, no <b>texts</b>' });
    await expect.poll(async () => (await rowOf('going')).state, PATIENCE).toBe('failed');
    expect(stream.names).toContain('runs');
    stream.close();
  });

  it('that was killed is told as stopped, where it was', async () => {
    const { pid = 0 } = spawnSync(process.execPath, ['--version']);
    const at = new Date(Date.now() - 60_000).toISOString();
    const figures = { metric: 'accuracy', score: 0.5, low: 0.4, high: 0.6 };
    const events = [
      { ...begin, process: pid },
      { type: 'expected', seconds: { int8: 5 }, later: 0 },
      { type: 'finished', step: 'teacher', seconds: 3 },
      { type: 'finished', step: 'teacher/evaluate', seconds: 1, figures },
      { type: 'started', step: 'int8', key: 'a', why: ['x'] },
    ];
    space.write('runs/killed/events.jsonl', events.map((event) => `${JSON.stringify({ at, ...event })}\n`).join(''));
    const { id, state } = await rowOf('killed');
    const stream = streamOf(`runs/${id}/events`);
    await expect.poll(() => stream.news.at(-1)?.live.end, PATIENCE).toBe('stopped');
    expect(stream.news.at(-1)?.live.left).toBe('');
    expect(state).toBe('stopped');
    expect(stream.news.at(-1)?.live.rows.slice(1)).toEqual([
      { title: 'teacher (train)', state: 'done', note: '4.0 s, accuracy 50.0 % [40.0, 60.0]' },
      { title: 'int8 (quantize)', state: 'running', note: '' },
    ]);
    stream.close();
  });

  it('of several seeds is the one that runs now', async () => {
    const at = new Date().toISOString();
    const event = { ...begin, name: 'two', seeds: [1, 2] };
    space.write(
      'runs/two/seed-1/events.jsonl',
      `${JSON.stringify({ at, ...event })}\n${JSON.stringify({ at, type: 'run-finished', complete: true, seconds: 1, ran: 1, reused: 0 })}\n`,
    );
    await expect.poll(async () => (await rowOf('two')).state, PATIENCE).toBe('stopped');
    space.write('runs/two/seed-2/events.jsonl', `${JSON.stringify({ at, ...event, seed: 2 })}\n`);
    await expect.poll(async () => (await rowOf('two')).state, PATIENCE).toBe('running');
    const stream = streamOf(`runs/${(await rowOf('two')).id}/events`);
    await expect.poll(() => stream.news.at(-1)?.live.title, PATIENCE).toBe('seed 2  two'.replace('  ', ' '));
    stream.close();
  });

  it('is found whatever stands in front of it in its log', async () => {
    const log = space.write('runs/vast/events.jsonl', '');
    truncateSync(log, 2 ** 40);
    appendFileSync(log, `\n${JSON.stringify({ at: new Date().toISOString(), ...begin, name: 'vast' })}\n`);
    expect(await rowOf('vast')).toMatchObject({ state: 'running' });
  });

  it('ends streams that are too many', async () => {
    const streams = Array.from({ length: 16 }, () => streamOf('events'));
    await expect.poll(() => streams.every(({ names }) => names.length > 0), PATIENCE).toBe(true);
    expect((await page.get('events')).status).toBe(503);
    for (const stream of streams) stream.close();
  });
});
