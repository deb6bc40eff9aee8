import { cpSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import type { Report } from '../../reports/report.ts';
import { root } from '../rig/build.ts';
import { decant, type Result } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

const words = ['dog', 'fox', 'bird', 'sun', 'stove', 'coffee', 'people', 'books'];

/** Pairs of which one has the river in it: both sides hold the same words otherwise, so only the side tells the class. */
const pairsCsv = (): string => {
  const random = stream(5, 'pairs');
  const phrase = (): string[] => Array.from({ length: 2 + random.integer(3) }, () => words[random.integer(8)] ?? '');
  const lines = Array.from({ length: 320 }, () => {
    const label = random.integer(2);
    const sides = [phrase(), phrase()];
    sides[label]?.splice(random.integer(3), 0, 'river');
    return `${sides.map((side) => side.join(' ')).join(',')},${label === 0 ? 'first' : 'second'}`;
  });
  return `one,other,side\n${[...new Set(lines)].join('\n')}\n`;
};

const pipeline = `name: pairs
data: { uses: csv, file: pairs.csv, text: [one, other], label: side, maxLength: 20 }
measure: { rounds: 3, processes: 2, loads: 0, profile: false }
stages:
  - { id: bert, uses: import, model: ./bert }
  - { id: tuned, uses: train, epochs: 10, batch: 16, learningRate: 0.004 }
  - { id: slim, uses: prune, keep: { ffn: 50% }, examples: 64, recover: { uses: distill, teacher: tuned, epochs: 3, hidden: {} } }
  - { id: deploy, uses: export, from: { fp32: slim } }
`;

/** Chance is a half: what is above this saw which text is which. */
const LEARNED = 0.9;

describe('pairs of texts', () => {
  const space = workspace();
  let run: Result;
  beforeAll(async () => {
    cpSync(`${root}test/golden/checkpoints/bert-features`, space.path('bert'), { recursive: true });
    space.write('pairs.csv', pairsCsv());
    space.write('pipeline.yaml', pipeline);
    run = await decant(['run', '--json'], { cwd: space.folder });
  });
  afterAll(() => space[Symbol.dispose]());

  it('go through every stage of an imported model with token types', () => {
    expect(run.stderr).not.toContain('failed');
    expect(run.code).toBe(0);
    const report: Report = JSON.parse(run.stdout);
    const accuracies = report.stages.flatMap(({ id, quality }) => (quality ? [[id, quality.score] as const] : []));
    expect(accuracies.map(([id]) => id)).toEqual(['tuned', 'slim']);
    for (const [id, accuracy] of accuracies) expect([id, accuracy > LEARNED]).toEqual([id, true]);
  });

  const predict = (args: readonly string[], input?: string): Promise<Result> =>
    decant(['predict', 'runs/pairs/deploy', ...args], { cwd: space.folder, ...(input === undefined ? {} : { input }) });

  it('are predicted from arguments and from lines, in one order and the other', async () => {
    const sides = ['dog by river', 'sun and books'] as const;
    const [one, other] = sides;
    const given = await predict([one, other, '--pair', other, '--pair', one, '--json']);
    const said = JSON.parse(given.stdout);
    expect(said.map(({ text, pair, label }: Record<string, unknown>) => [text, pair, label])).toEqual([
      [one, other, 'first'],
      [other, one, 'second'],
    ]);
    const lines = await predict(['--pairs', '--json'], `${one}\t${other}\n${JSON.stringify([other, one])}\n`);
    expect(JSON.parse(lines.stdout)).toEqual(said);
    expect((await predict([one, '--pair', other])).stdout).toMatch(
      /^dog by river\nsun and books\n {2}first +\d+\.\d %\n$/,
    );
  });

  it.each([
    [['a', 'b', '--pair', 'c'], undefined, 'found 2 texts and 1 times --pair; expected one --pair a text'],
    [['a', '--pair', ' '], undefined, '--pair 1 is empty; leave --pair out for single texts'],
    [['a', '--pairs'], undefined, '--pairs reads pairs from standard input; give texts and --pair, or --pairs alone'],
  ])('%j is a wrong request', async (args, input, message) => {
    const { code, stderr } = await predict(args, input);
    expect([code, stderr.trim()]).toEqual([2, expect.stringContaining(message)]);
  });

  it('answers the other lines where one is no pair', async () => {
    const { code, stdout, stderr } = await predict(['--pairs', '--json'], 'one\tother\nalone\n');
    const error =
      'line 2 of standard input is no pair; expected two texts with a tab between them, or ["one", "other"]';
    expect(JSON.parse(stdout)).toEqual([expect.objectContaining({ text: 'one', pair: 'other' }), { line: 2, error }]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(error)]);
  });
});
