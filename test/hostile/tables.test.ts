import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLate } from '../rig/effort.ts';
import { hostileCommands } from '../rig/hostile/commands.ts';
import { tryTable } from '../rig/hostile/on-tables.ts';
import { oddTables, soundTables, spoiledTables } from '../rig/hostile/tables.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

/** Three seconds on an idle machine; tests share theirs with others. */
const SOON_SECONDS = 6;
const MOST_BYTES = 600e6;
const SEEDS = 6;

let space: Workspace;
let commands: ReturnType<typeof hostileCommands>;

beforeAll(() => {
  space = workspace();
  commands = hostileCommands();
});
afterAll(async () => {
  await commands[Symbol.asyncDispose]();
  space[Symbol.dispose]();
});

describe('a file of texts that is none, or made to do harm, ends in one message', () => {
  it.each([...oddTables, ...spoiledTables(SEEDS)])('$name', async (table) => {
    for (const { ended, faults } of await tryTable(table, commands, space.folder)) {
      expect(faults).toEqual([]);
      expect([ended.cpuSeconds, isLate(ended.cpuSeconds, SOON_SECONDS)]).toEqual([expect.any(Number), false]);
      expect(ended.peakBytes).toBeLessThan(MOST_BYTES);
    }
  });
});

describe('a sound one is taken', () => {
  it.each(soundTables)('$name', async (table) => {
    const [init] = await tryTable(table, commands, space.folder);
    expect([init?.ended.code, init?.faults]).toEqual([0, []]);
  });

  it('but not where numbers for classes are beyond what is read exactly', async () => {
    const bytes = () =>
      Array.from({ length: 60 }, (_, i) => `{"text":"a text ${i}","label":900719925474099${i % 3}}\n`).join('');
    const [init] = await tryTable({ extension: 'jsonl', bytes }, commands, space.folder);
    expect(init?.ended.stderr).toMatch(
      /table\.jsonl:3: the number in 'label' is beyond 2\^53.+read as 900719925474099\d; write it in quotes/,
    );
  });
});
