import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeModel } from '../../models/files.ts';
import type { Answered, RunDetails, RunRow } from '../../pipeline/ui/shapes.ts';
import { root } from '../rig/build.ts';
import { decant } from '../rig/cli.ts';
import { replaceFiles, soundFolder } from '../rig/hostile/folder.ts';
import { bombs } from '../rig/hostile/graphs-bombs.ts';
import { smallClassifier } from '../rig/small-models.ts';
import { workspace } from '../rig/workspace.ts';
import { type OpenPage, openPage } from './page.ts';

const space = workspace();
let page: OpenPage;
let id: string;

const bomb = bombs.find(({ name }) => name === 'a Loop of 2^62 rounds') ?? bombs[0];

beforeAll(async () => {
  space.write('runs/one/report.json', readFileSync(`${root}test/golden/reports/before/report.json`));
  await writeModel(space.path('runs/one/models/student'), smallClassifier());
  replaceFiles(await soundFolder(space.path('runs/one/models/bomb')), { 'model.onnx': bomb?.bytes() ?? '' });
  space.write('runs/one/models/torn/model.json', '{');
  space.write('runs/one/models/none/note.txt', 'no model');
  page = await openPage(space.path('runs'));
  [{ id }] = JSON.parse((await page.get('runs')).body).runs satisfies readonly RunRow[];
});
afterAll(async () => {
  await page.close();
  space[Symbol.dispose]();
});

const ask = async (model: string, text: string, pair = ''): Promise<Answered> =>
  JSON.parse((await page.post(`runs/${id}/ask`, { model, text, pair })).body);

describe('a question', () => {
  it('can be put to the models that lie in the run', async () => {
    const { models }: RunDetails = JSON.parse((await page.get(`runs/${id}`)).body);
    expect(models.map((model) => model.id).toSorted()).toEqual(['models/bomb', 'models/student', 'models/torn']);
  });

  it('is answered as by decant predict, whatever stands in it', async () => {
    const folder = space.path('runs/one/models/student');
    for (const text of ['the cat', '--json', '-- --help', '[1, 2]', '\u001b[31mred']) {
      const { stdout, stderr } = await decant(['predict', folder, '--top', '5'], { input: `${text}\n` });
      const { answer, notes } = await ask('models/student', text);
      expect(answer).toBe(stdout.trimEnd());
      expect(notes).toBe(stderr.trim());
    }
  });

  it('has two texts where a second one is given', async () => {
    const { stdout } = await decant([
      'predict',
      space.path('runs/one/models/student'),
      'the cat',
      '--pair',
      'a dog',
      '--top',
      '5',
    ]);
    expect((await ask('models/student', 'the cat', 'a dog')).answer).toBe(stdout.trimEnd());
  });

  it('to a model that is torn, or made to do harm, ends with what is wrong with it, and the page goes on', async () => {
    const hostile = await Promise.all([ask('models/torn', 'a text'), ask('models/bomb', 'a text')]);
    for (const { answer, notes } of hostile) {
      expect(answer).toBe('');
      expect(notes).not.toBe('');
      expect(notes).not.toMatch(/\n\s+at /);
    }
    expect((await ask('models/student', 'the cat')).answer).not.toBe('');
  });

  it('waits for those before it, but not for many', async () => {
    const all = await Promise.all(
      Array.from({ length: 9 }, () => page.post(`runs/${id}/ask`, { model: 'models/torn', text: 'a', pair: '' })),
    );
    const statuses = all.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(5);
    expect(statuses.filter((status) => status === 503)).toHaveLength(4);
  });

  it('that nobody waits for any more ends the processes that it began', async () => {
    const childrenOf = (): readonly string[] =>
      readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .filter((name) => {
          try {
            return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(space.path('runs/one/models/bomb'));
          } catch {
            return false;
          }
        });
    if (process.platform !== 'linux') return;
    const gone = new AbortController();
    const origin = `http://127.0.0.1:${page.port}`;
    const asked = fetch(`${origin}${page.room}runs/${id}/ask`, {
      method: 'POST',
      headers: { cookie: page.cookie, origin, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'models/bomb', text: 'a', pair: '' }),
      signal: gone.signal,
    }).catch(() => undefined);
    await expect.poll(childrenOf, { timeout: 120_000 }).not.toEqual([]);
    gone.abort();
    await asked;
    await expect.poll(childrenOf, { timeout: 120_000 }).toEqual([]);
  });
});
