import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readGraph } from '../../graph/codec/index.ts';
import { isUserError } from '../../ground/errors.ts';
import { readModel } from '../../models/files.ts';
import { importModel } from '../../models/importers/index.ts';
import { inspectGraph } from '../../models/inspect.ts';
import { isLate } from '../rig/effort.ts';
import { goldenCheckpoints } from '../rig/hostile/checkpoints.ts';
import { replaceFiles, soundFolder } from '../rig/hostile/folder.ts';
import { hostileGraphs } from '../rig/hostile/graphs.ts';
import { checkpointMutations, type Mutation, modelMutations } from '../rig/hostile/mutations.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

/** Three seconds on an idle machine; tests share theirs with others. */
const SOON_SECONDS = 15;
/** A message that holds a file's content is an attack on whoever reads it. */
const LONGEST_MESSAGE = 4000;

/** What is wrong with how reading ended: a bug, a message as long as a book, a long time. */
const faultOf = async (name: string, read: () => Promise<unknown>): Promise<readonly string[]> => {
  const started = performance.now();
  const fault = await read().then(
    (read) => (/\b(NaN|Infinity)\b/.test(JSON.stringify(read)) ? 'a figure that is none' : undefined),
    (error: unknown) => {
      if (!isUserError(error)) return `a bug: ${error instanceof Error ? error.stack : error}`;
      return error.message.length > LONGEST_MESSAGE && name.length === 0 ? 'a message as long as a book' : undefined;
    },
  );
  const slow = isLate((performance.now() - started) / 1000, SOON_SECONDS) ? ['too slow'] : [];
  return [...(fault === undefined ? [] : [fault]), ...slow].map((what) => `${name}: ${what}`);
};

const inspected = async (file: string) => inspectGraph(await readGraph(file), { length: 128 });

describe('reading what strangers send ends in figures or in one message', () => {
  let space: Workspace;
  beforeAll(async () => {
    space = workspace();
    await soundFolder(space.path('sound'));
  });
  afterAll(() => space[Symbol.dispose]());

  /** A copy of a sound folder with some damage. */
  const damaged = (from: string, { file, damage }: Mutation): string => {
    const folder = space.path('damaged');
    cpSync(from, folder, { recursive: true, force: true });
    replaceFiles(folder, { [file]: damage(readFileSync(join(folder, file))) });
    return folder;
  };

  it('of every hostile graph', async () => {
    expect(hostileGraphs.length).toBeGreaterThanOrEqual(129);
    const faults: string[] = [];
    for (const { name, bytes, beside = {} } of hostileGraphs) {
      replaceFiles(space.path('graph'), { 'model.onnx': bytes(), ...beside });
      faults.push(...(await faultOf(name, () => inspected(space.path('graph', 'model.onnx')))));
    }
    expect(faults).toEqual([]);
  });

  it('of every damaged model', async () => {
    const faults: string[] = [];
    for (const mutation of modelMutations) {
      const folder = damaged(space.path('sound'), mutation);
      faults.push(
        ...(await faultOf(mutation.name, async () => inspectGraph((await readModel(folder)).graph, { length: 9 }))),
      );
    }
    expect(faults).toEqual([]);
  });

  it('of every damaged checkpoint', async () => {
    const faults: string[] = [];
    for (const mutation of checkpointMutations) {
      const folder = damaged(join(goldenCheckpoints, 'bert'), mutation);
      faults.push(...(await faultOf(mutation.name, async () => (await importModel(folder, folder)).info)));
    }
    expect(faults).toEqual([]);
  });
});
