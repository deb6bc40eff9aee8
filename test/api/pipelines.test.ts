import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  clean,
  diff,
  engines,
  gatesFail,
  init,
  plan,
  RunError,
  type RunEvent,
  renderDiff,
  renderReport,
  report,
  run,
  runs,
  schema,
  UserError,
  validate,
} from '../../dist/pipeline/api/index.js';
import { tinyCsv } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

const space = workspace();
const file = space.path('pipeline.yaml');
const small = `name: small
data: { uses: csv, file: tiny.csv, maxLength: 16, labelled: 200 }
measure: { rounds: 3, processes: 2, loads: 0, profile: false }
stages:
  - { id: encoder, uses: train, steps: 4, batch: 16, architecture: { hidden: 64, layers: 1, heads: 2, ffn: 128, vocabulary: 300 } }
  - { id: int8, uses: quantize }
`;

beforeAll(() => {
  space.write('tiny.csv', tinyCsv());
  space.write('pipeline.yaml', small);
});
afterAll(() => space[Symbol.dispose]());

const kindsOf = (events: readonly RunEvent[]): readonly string[] => [...new Set(events.map(({ type }) => type))];

describe('a run', () => {
  it('tells what happens, and comes to the report that its folder holds', async () => {
    const events: RunEvent[] = [];
    const job = run(file);
    for await (const event of job) events.push(event);
    const { report: made, out } = await job;
    expect(kindsOf(events)).toEqual(
      expect.arrayContaining(['run-started', 'started', 'progress', 'finished', 'run-finished']),
    );
    expect(out).toBe(space.path('runs', 'small'));
    expect(made.stages.map(({ id }) => id)).toEqual(['encoder', 'int8']);
    expect((await report(out)).stages).toEqual(made.stages);
    expect(await renderReport(made, 'md')).toContain('int8');
    expect(JSON.parse(await renderReport(made, 'json')).name).toBe('small');
    expect(await renderReport(made, 'text', { columns: 80 })).toContain('encoder');
  });

  it('is reused, and a plan says so before', async () => {
    const { steps } = await plan(file);
    expect(new Set(steps.map(({ state }) => state))).toEqual(new Set(['cached']));
    const job = run(file);
    for await (const event of job) expect(event.type).not.toBe('started');
    expect((await job).report.stages.every(({ cached }) => cached)).toBe(true);
  });

  it('that is told to stop says where, and the same call goes on', async () => {
    const abort = new AbortController();
    const set = ['stages.encoder.steps=400'];
    const job = run(file, { set, signal: abort.signal });
    const read = (async () => {
      for await (const { type } of job) if (type === 'progress') abort.abort(new Error('enough'));
    })();
    await expect(read).rejects.toMatchObject({ kind: 'run', code: 'interrupted', report: null });
    expect((await run(file, { set })).report.stages.length).toBe(2);
  });

  it('that fails keeps what was done', async () => {
    // Its matrices are too small to be stored in 8 bits.
    space.write('failing.yaml', small.replace('hidden: 64', 'hidden: 16'));
    const error = await run(space.path('failing.yaml'), { out: space.path('failed') }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(RunError);
    if (!(error instanceof RunError)) return;
    expect(error).toMatchObject({ kind: 'run', step: 'int8', seed: null, out: space.path('failed') });
    expect(error.report?.stages.map(({ id }) => id)).toEqual(['encoder']);
  });

  it('of a file with problems throws all of them, each with its place', async () => {
    space.write('wrong.yaml', small.replace('steps: 4', 'stepz: 4').replace('uses: quantize', 'uses: quantise'));
    const error = await run(space.path('wrong.yaml')).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    const { problems } = Object(Object(error).facts);
    expect(problems).toMatchObject([{ code: 'unknown-key', line: 5 }, { line: 6 }]);
  });
});

describe('around a run', () => {
  it('a file is checked and written', async () => {
    expect(await validate(file)).toMatchObject({ name: 'small', seeds: [expect.any(Number)], remarks: [] });
    const written = await init({ data: [space.path('tiny.csv')], out: space.path('first.yaml') });
    expect(written.file).toBe(space.path('first.yaml'));
    expect(written.summary).toContain('480 texts');
    expect((await validate(space.path('first.yaml'))).stages.length).toBeGreaterThan(3);
  });

  it('two reports are compared, and gates can fail them', async () => {
    const out = space.path('runs', 'small');
    await run(file);
    const same = await diff(out, out);
    expect(same.stages.map(({ kind }) => kind)).toEqual(['same', 'same']);
    expect(gatesFail(same.gates, true)).toBe(false);
    space.write('gates.yaml', 'int8: { bytes: { max: 1B } }\n');
    const gated = await diff(out, out, { gates: space.path('gates.yaml') });
    expect(gatesFail(gated.gates, false)).toBe(true);
    expect(await renderDiff(gated, 'md')).toContain('int8');
  });

  it('runs are listed, and what none needs is freed', async () => {
    const listed = await runs(space.path('runs'));
    expect(listed[0]).toMatchObject({ name: 'small', state: 'complete', stages: ['encoder', 'int8'] });
    const asked = { store: space.path('.decant', 'store'), runs: space.path('runs'), dryRun: true };
    expect(await clean(asked)).toMatchObject({ schema: 'decant.clean/1', dryRun: true });
    expect(existsSync(space.path('.decant', 'store'))).toBe(true);
  });

  it('schemas and engines are told', async () => {
    expect(Object.keys(await schema())).toContain('properties');
    expect((await schema('report')).title).toBe('decant report');
    expect(await engines(['cpu'])).toMatchObject([{ engine: 'cpu', works: true }]);
    await expect(engines(['cpv'])).rejects.toThrow('cpu');
  });
});
