import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import type { Report } from '../../reports/report.ts';
import { decant, type Result } from '../rig/cli.ts';
import type { Workspace } from '../rig/workspace.ts';
import { wordsSpace } from './words-space.ts';

/** Wide enough that rounding takes longer than starting a process. */
const widths = { hidden: 256, ffn: 512, heads: 4 };

const pipeline = (format: string): string => `name: rounded
data: { uses: csv, file: texts.csv, maxLength: 12 }
measure: { rounds: 3, processes: 2, loads: 0, profile: false }
stages:
  - { id: encoder, uses: import, model: ./model.onnx, head: new, tokenizer: ./words }
  - { id: stored, uses: quantize, format: ${format} }
`;

let space: Workspace;
const random = stream(3, 'moments');

beforeAll(async () => {
  space = await wordsSpace(widths);
});
afterAll(() => space[Symbol.dispose]());

/** Runs it until the model is stored; killed so many milliseconds after that began. */
const run = (name: string, killAfter?: number): Promise<Result> =>
  decant(['run', 'pipeline.yaml', '--until', 'stored', '--plain', '--store', `${name}/store`, '--out', `${name}/out`], {
    cwd: space.folder,
    onText: (text, child) => {
      if (killAfter !== undefined && /stored +started/.test(text)) setTimeout(() => child.kill('SIGKILL'), killAfter);
    },
  });

const digestOf = (name: string): string | undefined => {
  const { stages }: Report = JSON.parse(readFileSync(space.path(name, 'out/report.json'), 'utf8'));
  return stages.find(({ id }) => id === 'stored')?.model?.sha256;
};

it.each(['int8', 'q4'])(
  'a run that is killed while it calibrates and rounds to %s ends with the same bytes',
  async (format) => {
    space.write('pipeline.yaml', pipeline(format));
    expect((await run(`${format}-whole`)).code).toBe(0);
    const name = `${format}-killed`;
    const killed = await run(name, random.integer(800));
    expect(killed.signal).toBe('SIGKILL');
    const resumed = await run(name);
    expect([resumed.code, resumed.stderr]).toEqual([0, '']);
    expect(digestOf(name)).toMatch(/^[0-9a-f]{64}$/);
    expect(digestOf(name)).toBe(digestOf(`${format}-whole`));
    expect(readdirSync(space.path(name, 'store', 'work'))).toEqual([]);
  },
);
