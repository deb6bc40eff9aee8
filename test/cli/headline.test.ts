import { execFileSync } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import type { Report } from '../../reports/report.ts';
import { root } from '../rig/build.ts';
import { decant, type Result } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

const words = ['dog', 'fox', 'bird', 'sun', 'stove', 'coffee', 'people', 'books', 'rain', 'hill'];

/** Tickets whose queue one word tells: what a bag of words learns at once, and a Transformer not in a few updates. */
const ticketsCsv = (): string => {
  const random = stream(11, 'tickets');
  const lines = Array.from({ length: 900 }, () => {
    const text = Array.from({ length: 5 + random.integer(4) }, () => words[random.integer(words.length)] ?? '');
    const queue = text.includes('stove') ? 'repair' : text.includes('coffee') ? '"kitchen, <b>"' : 'other';
    return `${text.join(' ')},${queue}`;
  });
  return `text,queue\n${[...new Set(lines)].join('\n')}\n`;
};

const pipeline = `name: tickets
data: { uses: csv, file: tickets.csv, label: queue, maxLength: 16 }
measure: { rounds: 3, processes: 2, loads: 1, profile: false }
stages:
  - { id: teacher, uses: train, architecture: { hidden: 64, layers: 1, heads: 2, ffn: 128, vocabulary: 300 }, epochs: 1, batch: 64 }
  - { id: int8, uses: quantize }
  - { id: scratch, uses: train, like: teacher, epochs: 1, batch: 64 }
  - { id: deploy, uses: export, from: { fp32: teacher, q8: int8 } }
`;

describe('a run that learnt less than a bag of words', () => {
  const space = workspace();
  let run: Result;
  let report: Report;
  const at = (...args: readonly string[]): Promise<Result> => decant(args, { cwd: space.folder });
  const file = (name: string): string => readFileSync(space.path('runs/tickets', name), 'utf8');
  beforeAll(async () => {
    space.write('tickets.csv', ticketsCsv());
    space.write('pipeline.yaml', pipeline);
    run = await at('run');
    report = JSON.parse(file('report.json'));
  });
  afterAll(() => space[Symbol.dispose]());

  it('says first that nothing is worth deploying yet, with the numbers of a paired test', () => {
    expect(run.stderr).not.toContain('failed: ');
    const first = /nothing here is worth deploying yet: int8 does not beat the linear bag of words by accuracy, \d/i;
    expect(run.stdout.replace(/\n/g, ' ')).toMatch(new RegExp(` reused {2}${first.source}`, 'i'));
    expect(file('report.md').split('\n')[2]).toMatch(new RegExp(`^\\*\\*${first.source}`, 'i'));
    expect(file('report.html')).toMatch(new RegExp(`<p class="verdict">${first.source}`, 'i'));
    const int8 = report.stages.find(({ id }) => id === 'int8');
    expect(int8?.overBaseline).toMatchObject({ baseline: 'linear', paired: true });
    const { low, high } = int8?.overBaseline?.score ?? { low: 0, high: 0 };
    expect([low < 0, high < 0, low < high]).toEqual([true, true, true]);
  });

  it('says the same again from its records, and keeps what the baseline answered', async () => {
    const again: Report = JSON.parse((await at('report', 'runs/tickets', '--format', 'json')).stdout);
    expect(again.data.baselines).toEqual(report.data.baselines);
    expect(again.stages.map(({ overBaseline }) => overBaseline)).toEqual(
      report.stages.map(({ overBaseline }) => overBaseline),
    );
    expect(report.data.baselines?.linear?.scoreInterval).toMatchObject({ low: expect.any(Number) });
    expect(report.data.baselines?.majority?.scoreInterval).toMatchObject({ low: expect.any(Number) });
  });

  it('tells how its folder is used, in lines that run', async () => {
    const { usage } = report.stages.find(({ id }) => id === 'deploy') ?? { usage: null };
    symlinkSync(join(root, 'node_modules'), space.path('node_modules'));
    space.write('runs/tickets/use.mjs', usage?.node ?? '');
    const cwd = space.path('runs/tickets');
    const said = execFileSync(process.execPath, ['use.mjs'], { cwd, encoding: 'utf8' });
    expect(said).toMatch(/label: '(repair|kitchen, <b>|other)'/);
    const { stdout } = await decant(['predict', 'deploy', 'Some text.'], { cwd });
    expect(stdout).toMatch(/repair|kitchen|other/);
    for (const text of [usage?.browser, usage?.python]) expect(text).toMatch(/model|folder/);
    expect(file('report.html')).toContain('npx decant predict deploy &quot;Some text.&quot;');
    expect(file('report.md')).toContain('npx decant predict deploy');
    const card = file('deploy/README.md');
    expect(card).toMatch(/^# tickets$/m);
    expect(card).toContain('name: tickets.csv');
    expect(card).toContain('onnx/model_quantized.onnx');
  });

  it('has its baselines as rows of the table, and no speed-up of a control', () => {
    const table = file('report.md');
    expect(table).toMatch(
      /^\| \*linear bag of words\* \| \d+\.\d \| -?\+?\d+\.\d \[.*\] \| [\d.]+ kB \| ~?[\d.]+ \| ~?[\d,]+ \| — \|/m,
    );
    expect(table).toMatch(/^\| \*majority class\* \| .* \| 4 B \| — \| — \| — \|/m);
    for (const name of ['report.md', 'report.html']) {
      expect(file(name)).toContain(
        'latency of baselines is from another measurement: from the text, splitting included',
      );
    }
    expect(table).toMatch(/^\| \*scratch\* \| .*\| \d+ kB \| .* \| — \|/m);
    expect(table).toContain('scratch is a control');
  });
});
