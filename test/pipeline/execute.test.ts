import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../pipeline/events.ts';
import { type Executed, execute } from '../../pipeline/execute/execute.ts';
import { loadPipeline } from '../../pipeline/load.ts';
import { Sources } from '../../pipeline/plan/fingerprint.ts';
import { Store } from '../../pipeline/store/store.ts';
import { textCatalogue } from '../rig/text-catalogue.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

const yaml = `name: letters
data: { uses: lines, file: lines.txt }
stages:
  - { id: first, uses: start }
  - { id: second, uses: grow, letters: 6 }
  - { id: third, uses: follow, teacher: first }
  - { id: fourth, uses: follow, teacher: second, from: third }
  - { id: both, uses: bundle, from: { small: first, large: fourth } }
`;

interface Ran extends Executed {
  readonly events: readonly RunEvent[];
  readonly ran: readonly string[];
  readonly cached: readonly string[];
}

interface RunSettings {
  readonly store?: string;
  readonly set?: readonly string[];
  readonly force?: readonly string[];
  readonly offline?: boolean;
  readonly memory?: number;
  readonly abort?: AbortController;
  readonly onEvent?: (event: RunEvent) => void;
}

const prepare = (space: Workspace, text = yaml): string => {
  space.write('lines.txt', 'some letters\n');
  return space.write('pipeline.yaml', text);
};

const run = async (space: Workspace, settings: RunSettings = {}): Promise<Ran> => {
  const plan = await loadPipeline(space.path('pipeline.yaml'), settings.set ?? [], textCatalogue);
  const events: RunEvent[] = [];
  const executed = await execute({
    plan,
    catalogue: textCatalogue,
    store: await Store.open(space.path(settings.store ?? 'store')),
    sources: new Sources(),
    threads: 1,
    force: new Set(settings.force),
    offline: settings.offline ?? false,
    memory: settings.memory,
    logs: space.path('logs'),
    abort: (settings.abort ?? new AbortController()).signal,
    kill: new AbortController().signal,
    emit: (event) => {
      events.push(event);
      settings.onEvent?.(event);
    },
  });
  const of = (type: RunEvent['type']): readonly string[] =>
    events.flatMap((event) => (event.type === type && 'step' in event ? [event.step] : []));
  return { ...executed, events, ran: of('finished'), cached: of('cached') };
};

const digests = ({ steps }: Executed): Record<string, string> =>
  Object.fromEntries(
    [...steps].flatMap(([id, { outputs }]) => Object.values(outputs).map(({ artifact }) => [id, artifact.digest])),
  );

const textOf = ({ steps }: Executed, id: string): string => {
  const output = Object.values(steps.get(id)?.outputs ?? {})[0];
  return output === undefined ? '' : readFileSync(output.path('text.txt'), 'utf8');
};

const whyOf = ({ events }: Ran, step: string): readonly string[] =>
  events.flatMap((event) => (event.type === 'started' && event.step === step ? event.why : []));

const inOrder = ['dataset', 'first', 'second', 'third/count', 'third', 'fourth/count', 'fourth', 'both'];

const blobsOf = (folder: string): readonly string[] =>
  readdirSync(folder).flatMap((part) => readdirSync(join(folder, part)).map((name) => join(folder, part, name)));

const flipByte = (file: string): void => {
  const bytes = readFileSync(file);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  chmodSync(file, 0o644);
  writeFileSync(file, bytes);
};

/** Processes whose command line holds a text. */
const processesNamed = (text: string): readonly string[] =>
  execFileSync('ps', ['-Ao', 'args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(text));

const growing = (options: string): string => `name: letters
data: { uses: lines, file: lines.txt }
stages:
  - { id: first, uses: start }
  - { id: second, uses: grow, ${options} }
`;

describe('execute', () => {
  it('runs every step once, then reuses every step', async () => {
    using space = workspace();
    prepare(space);
    const cold = await run(space);
    expect(cold.end).toEqual({ kind: 'done' });
    expect(cold.ran).toEqual(inOrder);
    expect(textOf(cold, 'fourth')).toMatch(/^some[a-z]{6}410$/);
    const warm = await run(space);
    expect(warm.ran).toEqual([]);
    expect(warm.cached).toEqual(inOrder);
    expect(digests(warm)).toEqual(digests(cold));
  });

  it('makes equal bytes in two stores, and others with another seed', async () => {
    using space = workspace();
    prepare(space);
    const [one, two] = [await run(space, { store: 'a' }), await run(space, { store: 'b' })];
    expect(digests(two)).toEqual(digests(one));
    const other = await run(space, { store: 'a', set: ['seed=2'] });
    expect(other.ran).toEqual(['second', 'third', 'fourth/count', 'fourth', 'both']);
    expect(textOf(other, 'second')).not.toBe(textOf(one, 'second'));
  });

  it('says which option changed, and runs again only what depends on it', async () => {
    using space = workspace();
    prepare(space);
    await run(space);
    const changed = await run(space, { set: ['stages.second.letters=7'] });
    expect(changed.ran).toEqual(['second', 'third', 'fourth/count', 'fourth', 'both']);
    expect(whyOf(changed, 'second')).toEqual(['config.letters 6 -> 7']);
    expect(whyOf(changed, 'third')).toEqual(['input model changed']);
  });

  it('stops early where a step makes the same bytes as before', async () => {
    using space = workspace();
    prepare(space);
    await run(space);
    space.write('lines.txt', 'some other letters\n');
    const changed = await run(space);
    expect(changed.ran).toEqual(['dataset', 'first']);
    expect(whyOf(changed, 'dataset')).toEqual(['file 0 lines.txt changed']);
  });

  it('runs a forced step again and what follows from the cache', async () => {
    using space = workspace();
    prepare(space);
    await run(space);
    const forced = await run(space, { force: ['second'] });
    expect(forced.ran).toEqual(['second']);
    expect(whyOf(forced, 'second')).toEqual(['forced']);
  });

  it('notices a flipped byte in any blob and makes it again', async () => {
    using space = workspace();
    prepare(space, growing('letters: 5'));
    const cold = await run(space);
    const blobs = blobsOf(space.path('store', 'blobs'));
    expect(blobs.length).toBe(3);
    for (const blob of blobs) {
      flipByte(blob);
      const again = await run(space);
      expect(again.events.filter(({ type }) => type === 'damaged').length).toBe(1);
      expect(again.ran.length).toBe(1);
      expect(digests(again)).toEqual(digests(cold));
    }
    expect((await run(space)).ran).toEqual([]);
  });

  it('makes a truncated blob, a missing blob and a damaged record again', async () => {
    using space = workspace();
    prepare(space, growing('letters: 5'));
    const cold = await run(space);
    const [blob] = blobsOf(space.path('store', 'blobs'));
    chmodSync(blob ?? '', 0o644);
    truncateSync(blob ?? '', 1);
    const truncated = await run(space);
    expect(truncated.ran.length).toBe(1);
    const records = readdirSync(space.path('store', 'records'));
    for (const record of records) flipByte(space.path('store', 'records', record));
    const again = await run(space);
    expect(again.ran).toEqual(['dataset', 'first', 'second']);
    expect(digests(again)).toEqual(digests(cold));
  });

  it('keeps what was finished when a later stage fails for a reason that the user can mend', async () => {
    using space = workspace();
    prepare(space, growing('letters: 5, die: theirs'));
    const ran = await run(space);
    const message = 'the loss is not a number at step 3';
    expect(ran.end).toEqual({ kind: 'failed', step: 'second', code: 'stage', message, log: null });
    expect([...ran.steps.keys()]).toEqual(['dataset', 'first']);
  });

  it('says once where the last good state is kept', async () => {
    using space = workspace();
    prepare(space, growing('letters: 5, die: later'));
    const { end } = await run(space);
    const [key = ''] = readdirSync(space.path('store', 'checkpoints'));
    expect(end).toMatchObject({ message: `no; what there was is kept in ${space.path('store', 'checkpoints', key)}` });
  });

  it('puts the stack trace of a fault of the program into a log', async () => {
    using space = workspace();
    prepare(space, growing('letters: 5, die: error'));
    const { end } = await run(space);
    expect(end).toMatchObject({ kind: 'failed', step: 'second', message: 'a fault of the program' });
    const log = end.kind === 'failed' ? end.log : null;
    expect(readFileSync(log ?? '', 'utf8')).toMatch(/Error: a fault of the program\n\s+at .*text-stages/);
  });

  it('survives a native crash of a stage', async () => {
    using space = workspace();
    prepare(space, growing('letters: 5, die: crash'));
    const { end } = await run(space);
    expect(end).toMatchObject({ kind: 'failed', step: 'second' });
    expect(end.kind === 'failed' ? end.message : '').toContain('was killed by SIGABRT');
  });

  it.each(['here', 'in a process that it starts'])('stops a stage that takes too much memory %s', async (place) => {
    using space = workspace();
    prepare(space, growing(`letters: 2, holds: { megabytes: 900, elsewhere: ${place !== 'here'} }`));
    const { end } = await run(space, { memory: 700 });
    expect(end).toMatchObject({
      ...{ kind: 'failed', step: 'second', code: 'memory', log: null },
      message: expect.stringMatching(
        /^the step was stopped: it took more than 700 MB of memory, which --memory allows; take shorter texts, .*its last good state is kept in/,
      ),
    });
    expect(processesNamed('900e6')).toEqual([]);
    if (place !== 'here') return;
    const again = await run(space, { memory: 4000 });
    expect([again.end.kind, again.steps.get('second')?.metrics.resumedAt]).toEqual(['done', 1]);
    expect(again.ran).toEqual(['second']);
  });

  it('tells a stage that takes too much memory what it said would help', async () => {
    using space = workspace();
    prepare(space, growing('letters: 2, needs: 900, holds: { megabytes: 900 }'));
    const { end } = await run(space, { memory: 700 });
    expect(end).toMatchObject({
      ...{ kind: 'failed', code: 'memory', log: null },
      message: expect.stringMatching(
        /^the step was stopped: it took more than 700 MB of memory, which --memory allows; 2 letters: write fewer, or allow more with --memory MB; its last good state is kept in/,
      ),
    });
  });

  it.each([
    [600, 'memory', 'the process of the step was killed by SIGKILL (probably out of memory); 2 letters: write fewer'],
    [100, 'crashed', 'the process of the step was killed by SIGKILL (probably out of memory)'],
  ])('says of a killed stage that needs %i of 1000 MB what is likely', async (needs, code, message) => {
    using space = workspace();
    prepare(space, growing(`letters: 2, needs: ${needs}, die: killed`));
    const { end } = await run(space, { memory: 1000 });
    expect(end).toMatchObject({ kind: 'failed', code, message });
  });

  it('saves on interruption and goes on from there to the same bytes', async () => {
    using space = workspace();
    prepare(space, growing('letters: 30, pauseMs: 40'));
    const abort = new AbortController();
    const stopped = await run(space, {
      abort,
      onEvent: (event) => event.type === 'progress' && event.progress.done >= 5 && abort.abort(),
    });
    expect(stopped.end).toEqual({ kind: 'interrupted', step: 'second' });
    const resumed = await run(space);
    expect(resumed.steps.get('second')?.metrics.resumedAt).toBeGreaterThanOrEqual(5);
    const whole = await run(space, { store: 'other' });
    expect(whole.steps.get('second')?.metrics.resumedAt).toBe(0);
    expect(digests(resumed)).toEqual(digests(whole));
    expect(readdirSync(space.path('store', 'checkpoints'))).toEqual([]);
    expect(readdirSync(space.path('store', 'work'))).toEqual([]);
  });

  it('begins anew when the saved state is damaged', async () => {
    using space = workspace();
    prepare(space, growing('letters: 20, pauseMs: 40'));
    const abort = new AbortController();
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'progress') abort.abort();
    };
    await run(space, { abort, onEvent });
    const [key] = readdirSync(space.path('store', 'checkpoints'));
    flipByte(space.path('store', 'checkpoints', key ?? '', 'state.bin'));
    const resumed = await run(space);
    expect(resumed.steps.get('second')?.metrics.resumedAt).toBe(0);
  });

  it('does no work twice when two runs share a store', async () => {
    using space = workspace();
    prepare(space, growing('letters: 20, pauseMs: 30'));
    const [one, two] = await Promise.all([run(space), run(space)]);
    expect([one.end, two.end]).toEqual([{ kind: 'done' }, { kind: 'done' }]);
    expect([...one.ran, ...two.ran].sort()).toEqual(['dataset', 'first', 'second']);
    expect([...one.events, ...two.events].some(({ type }) => type === 'waiting')).toBe(true);
    expect(digests(one)).toEqual(digests(two));
  });

  it('publishes files that an editor cannot write', async () => {
    using space = workspace();
    prepare(space, growing('letters: 5'));
    await run(space);
    for (const blob of blobsOf(space.path('store', 'blobs'))) expect(statSync(blob).mode & 0o222).toBe(0);
    expect(existsSync(space.path('logs'))).toBe(true);
  });
});
