import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lifeOf, type Owner, ownerIn, ownerName, self } from '../../ground/owner.ts';
import { temporaryFolder } from '../../ground/temporary.ts';
import { clean } from '../../pipeline/clean/clean.ts';
import { noteAttempt, noteResults } from '../../pipeline/store/attempts.ts';
import { hashJson } from '../../pipeline/store/hash.ts';
import { Store } from '../../pipeline/store/store.ts';
import { sweep } from '../../pipeline/store/sweep.ts';
import { beginUse } from '../../pipeline/store/use.ts';
import { root } from '../rig/build.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

const never = new AbortController().signal;
const DAY_S = 24 * 60 * 60;

/** A process that ended, and that its parent took note of. */
const dead: Owner = { process: spawnSync(process.execPath, ['-e', '']).pid, started: 1, place: self.place };
/** Its id is this process's now, which began at another time. */
const reused: Owner = { ...self, started: self.started + 1 };
const elsewhere: Owner = { process: dead.process, started: 1, place: '00000000' };

const put = (path: string, ageSeconds = 0): string => {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, 'x');
  const at = Date.now() / 1000 - ageSeconds;
  utimesSync(path, at, at);
  return path;
};

/** A lock and the file that names its holder, whose path is returned. */
const lockOf = (store: Store, name: string, owner: Owner): string => {
  mkdirSync(join(store.part('locks'), `${name}.lock`));
  const holder = put(join(store.part('locks'), `${name}.holder`));
  writeFileSync(holder, JSON.stringify({ ...owner, host: owner.place === self.place ? hostname() : 'another' }));
  return holder;
};

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

describe('an owner', () => {
  it('is told from another process, from a later one with its id, and from those of other machines', () => {
    expect([lifeOf(self), lifeOf(dead), lifeOf(elsewhere)]).toEqual(['alive', 'gone', 'unknown']);
    if (self.started !== 0) expect(lifeOf(reused)).toBe('gone');
  });

  it('is read back from any name that it is a part of', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), fc.nat(), fc.stringMatching(/^[0-9a-f]{8}$/), (before, id, started, place) => {
        const owner = { process: id, started, place };
        expect(ownerIn(`${before}.${ownerName(owner)}.1.tmp`)).toEqual(owner);
        expect(ownerIn(`decant-graph-${ownerName(owner)}_aB3dEf`)).toEqual(owner);
      }),
    );
  });

  it.runIf(process.platform === 'linux')('that was killed and that nobody waits for is gone', async () => {
    // The shell starts a process and becomes another program, which takes note of no child.
    const parent = spawn('sh', ['-c', 'sleep 0.05 & echo $!; exec sleep 5']);
    const id = Number(await new Promise((resolve) => parent.stdout.once('data', (text) => resolve(String(text)))));
    await expect.poll(() => lifeOf({ process: id, started: 0, place: self.place })).toBe('gone');
    parent.kill('SIGKILL');
  });
});

describe('opening a store', () => {
  it('removes what dead processes left, and nothing else', async () => {
    using space = workspace();
    const store = await Store.open(space.path('store'));
    const key = hashJson('key');
    const at = (part: Parameters<Store['part']>[0], ...names: readonly string[]) => join(store.part(part), ...names);
    const gone = [
      put(at('work', key, `${ownerName(dead)}-abc`, 'model', 'model.onnx')),
      put(at('work', key, `${dead.process}-k3x9`, 'model', 'model.onnx')),
      put(at('work', hashJson('other'), `${ownerName(reused)}-abc`, 'model.onnx')),
      put(at('work', key, `${ownerName(elsewhere)}-old`), 2 * DAY_S),
      put(at('checkpoints', key, `state.bin.${ownerName(dead)}.3.tmp`)),
      put(at('checkpoints', key, `state.bin.${dead.process}.tmp`)),
      put(at('records', `${key}.json.${ownerName(dead)}.1.tmp`)),
      put(at('records', `${key}.json.1234567`), 2 * DAY_S),
      put(at('locks', `${key}.holder.${ownerName(dead)}.1.tmp`)),
      put(space.path('store', `.probe.${ownerName(dead)}.1.tmp`)),
      put(at('blobs', `.probe-${dead.process}`)),
      put(at('runs', `attempt-1.json.${ownerName(dead)}.1.tmp`)),
      lockOf(store, key, dead),
      lockOf(store, 'gate', dead),
      lockOf(store, `use-${ownerName(dead)}-1`, dead),
      put(at('locks', 'without-a-lock.holder')),
    ];
    const kept = [
      put(at('checkpoints', key, 'state.bin')),
      put(at('checkpoints', hashJson('download'), 'model.safetensors.part')),
      put(at('work', key, `${ownerName(self)}-abc`, 'model.onnx')),
      put(at('work', key, `${ownerName(elsewhere)}-new`, 'model.onnx')),
      put(at('records', `${key}.json.${ownerName(self)}.1.tmp`)),
      put(at('records', `${hashJson('a record')}.json`)),
      put(at('blobs', 'ab', 'abcdef')),
      lockOf(store, 'living', self),
    ];
    const end = await beginUse(store, never);
    expect(gone.filter(existsSync)).toEqual([]);
    expect(kept.filter((path) => !existsSync(path))).toEqual([]);
    await end();
    expect(readdirSync(store.part('locks')).sort()).toEqual(['living.holder', 'living.lock']);
  });

  it('removes blobs that an attempt published in part before it died, and those only', async () => {
    using space = workspace();
    const store = await Store.open(space.path('store'));
    const folder = await store.workspace(hashJson('key'));
    space.write('made/a.txt', 'hello');
    const fingerprint = { uses: 'u', version: 1, config: {}, inputs: {}, sources: {}, environment: {} };
    const record = { key: hashJson('key'), pipeline: 'p', step: 's', fingerprint, metrics: {}, seconds: 1 };
    const { outputs } = await store.publish(record, [{ name: 'o', kind: 'folder', folder: space.path('made') }]);
    await store.discard(folder);
    const orphan = put(store.blob(hashJson('orphan')));
    await (await beginUse(store, never))();
    expect(existsSync(orphan)).toBe(true);
    put(join(store.part('work'), hashJson('x'), `${ownerName(dead)}-abc`, 'rest'));
    await (await beginUse(store, never))();
    expect(existsSync(orphan)).toBe(false);
    expect(readFileSync(store.input(outputs.o ?? expect.fail()).path('a.txt'), 'utf8')).toBe('hello');
  });

  it('keeps a saved state until its step is done, and one of an attempt that was forced since', async () => {
    using space = workspace();
    const store = await Store.open(space.path('store'));
    const [done, forced] = [hashJson('done'), hashJson('forced')];
    for (const key of [done, forced]) {
      put(join(store.part('checkpoints'), key, 'state.bin'));
      put(store.record(key), key === forced ? 100 : 0);
    }
    const later = Date.now() / 1000 + 5;
    utimesSync(store.record(done), later, later);
    await sweep(store);
    expect(readdirSync(store.part('checkpoints'))).toEqual([forced]);
  });

  it('leaves, of any population, exactly what a living or unknown process owns; two at once as well as one', async () => {
    using space = workspace();
    const owners = { self, dead, reused: self.started === 0 ? dead : reused, elsewhere };
    const item = fc.record({
      key: fc.constantFrom('a', 'b', 'c'),
      owner: fc.constantFrom<keyof typeof owners>('self', 'dead', 'reused', 'elsewhere'),
      kind: fc.constantFrom('work', 'state', 'record'),
      locked: fc.boolean(),
    });
    let count = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(item, { maxLength: 8 }), async (items) => {
        const store = await Store.open(space.path(`store-${++count}`));
        const living = new Set<string>();
        const [all, stay]: [string[], string[]] = [[], []];
        items.forEach(({ key, owner, kind, locked }, i) => {
          const name = ownerName(owners[owner]);
          const folder = {
            work: join('work', hashJson(key)),
            state: join('checkpoints', hashJson(key)),
            record: 'records',
          };
          const file = kind === 'work' ? join(`${name}-${i}`, 'x') : `x.${name}.${i}.tmp`;
          const path = put(join(store.root, folder[kind as keyof typeof folder], file));
          if (locked && kind !== 'record' && !living.has(key)) {
            living.add(key);
            lockOf(store, hashJson(key), self);
          }
          all.push(path);
        });
        items.forEach(({ key, owner, kind }, i) => {
          const owned = owner === 'self' || owner === 'elsewhere';
          if (owned || (kind !== 'record' && living.has(key))) stay.push(all[i] ?? '');
        });
        await Promise.all([sweep(store), sweep(store)]);
        expect(all.filter(existsSync)).toEqual(stay);
        expect(readdirSync(store.part('locks')).filter((name) => name.endsWith('.lock')).length).toBe(living.size);
        rmSync(store.root, { recursive: true });
      }),
      { numRuns: 25 },
    );
  });

  it('removes temporary folders of dead processes, and of nobody else', async () => {
    const store = await Store.open(mkdtempSync(join(tmpdir(), 'decant-store-')));
    const own = await temporaryFolder('graph');
    const [left, foreign, nameless] = [dead, elsewhere, undefined].map((owner) =>
      mkdtempSync(join(tmpdir(), `decant-graph-${owner === undefined ? '' : `${ownerName(owner)}_`}`)),
    );
    put(join(left ?? '', 'graph.onnx'));
    await sweep(store);
    expect([own, left, foreign, nameless].map((folder) => existsSync(folder ?? ''))).toEqual([true, false, true, true]);
    for (const folder of [own, foreign, nameless, store.root]) rmSync(folder ?? '', { recursive: true });
  });
});

describe('locks', () => {
  it('stay with a living holder that gives no sign of life, as one that is stopped for a while', async () => {
    using space = workspace();
    const store = await Store.open(space.path('store'));
    lockOf(store, 'stopped', self);
    const old = Date.now() / 1000 - 60;
    utimesSync(join(store.part('locks'), 'stopped.lock'), old, old);
    const abort = new AbortController();
    const { acquire } = await import('../../pipeline/store/locks.ts');
    let waited = 0;
    const stopped = acquire(store.part('locks'), 'stopped', abort.signal, () => waited++);
    setTimeout(() => abort.abort(new Error('enough')), 700);
    if (self.started !== 0) await expect(stopped).rejects.toThrow('enough');
    else await stopped.then((release) => release());
    expect(existsSync(join(store.part('locks'), 'stopped.holder'))).toBe(self.started !== 0);
  });
});

describe('cleaning', () => {
  const published = async (store: Store, name: string, text: string) => {
    const folder = join(await store.workspace(hashJson(name)), 'o');
    put(join(folder, 'a.txt'));
    writeFileSync(join(folder, 'a.txt'), text);
    const fingerprint = { uses: 'u', version: 1, config: {}, inputs: {}, sources: {}, environment: {} };
    const record = { key: hashJson(name), pipeline: 'p', step: name, fingerprint, metrics: {}, seconds: 1 };
    await store.publish(record, [{ name: 'o', kind: 'folder', folder }]);
    await store.discard(join(folder, '..'));
    return store.record(hashJson(name));
  };
  /** A store in which a run into a folder of its own has begun. */
  const unfinished = async (space: Workspace) => {
    const store = await Store.open(space.path('store'));
    const out = space.path('runs/a');
    mkdirSync(out, { recursive: true });
    noteResults(store, out);
    return { store, out, attempt: noteAttempt(store, { out, name: 'a', of: 'options' }) };
  };
  const keepAll = { policy: { kind: 'all' }, runs: null, dryRun: false } as const;

  it('keeps what an unfinished run has computed, and its saved states, until it is told which runs to keep', async () => {
    using space = workspace();
    const { store, out, attempt } = await unfinished(space);
    const [wanted, unwanted] = [await published(store, 'one', '12345'), await published(store, 'two', '123')];
    attempt.begins(hashJson('one'));
    attempt.begins(hashJson('interrupted'));
    const state = put(join(store.part('checkpoints'), hashJson('interrupted'), 'state.bin'));
    const { kinds, kept } = await clean(store, keepAll, never);
    expect([existsSync(wanted), existsSync(unwanted), existsSync(state)]).toEqual([true, false, true]);
    expect([kinds.results.files, kept]).toEqual([2, { checkpoints: { files: 1, bytes: 1 }, unfinished: [out] }]);
    const later = { ...keepAll, policy: { kind: 'younger', ms: -1000 } } as const;
    expect((await clean(store, later, never)).kinds.checkpoints).toEqual({ files: 1, bytes: 1 });
    expect(filesBelow(store.root).filter((file) => !file.includes('results-'))).toEqual([]);
  });

  it('says exactly how many bytes it frees: none of what a link elsewhere keeps', async () => {
    using space = workspace();
    const store = await Store.open(space.path('store'));
    const record = await published(store, 'linked', 'x'.repeat(1000));
    const [blob] = filesBelow(store.part('blobs'));
    const { linkSync } = await import('node:fs');
    linkSync(blob ?? '', space.path('link'));
    const { size } = statSync(record);
    const dry = await clean(store, { ...keepAll, dryRun: true }, never);
    const wet = await clean(store, keepAll, never);
    expect([dry.bytes, wet.bytes]).toEqual([size, size]);
    expect({ ...dry, dryRun: false }).toEqual(wet);
    expect(existsSync(record)).toBe(false);
    expect((await clean(store, keepAll, never)).bytes).toBe(0);
  });

  it('goes on where it was killed half way, and never takes what a run needs', async () => {
    using space = workspace();
    const { store, attempt } = await unfinished(space);
    const wanted = await published(store, 'wanted', 'needed');
    attempt.begins(hashJson('wanted'));
    const orphan = (i: number): string => join(store.part('blobs'), hashJson(i).slice(0, 2), hashJson(i));
    for (let i = 0; i < 3000; i++) put(orphan(i));
    const left = (): number => filesBelow(store.part('blobs')).length;
    const all = left();
    const args = [`${root}bin/decant.js`, 'clean', '--store', store.root];
    const child = spawn(process.execPath, args, { cwd: space.folder, stdio: 'ignore' });
    const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on('exit', (_, signal) => resolve(signal)));
    const watching = setInterval(() => void (left() < all && child.kill('SIGKILL')), 1);
    expect(await ended).toBe('SIGKILL');
    clearInterval(watching);
    expect([left() > 1, left() < all]).toEqual([true, true]);
    const { bytes } = await clean(store, keepAll, never);
    expect([bytes > 0, left(), existsSync(wanted)]).toEqual([true, 1, true]);
    expect((await clean(store, { ...keepAll, dryRun: true }, never)).bytes).toBe(0);
    expect([await store.find(hashJson('wanted')), readdirSync(store.part('locks'))]).toEqual([expect.anything(), []]);
  });

  it('frees nothing while a run is at work, and a run that begins meanwhile waits for it', async () => {
    using space = workspace();
    const store = await Store.open(space.path('store'));
    const record = await published(store, 'used', 'text');
    const end = await beginUse(store, never);
    await expect(clean(store, keepAll, never)).rejects.toThrow(
      `nothing was freed: process ${process.pid} on ${hostname()} is at work in ${store.root}; wait for it, then clean again, or look with --dry-run`,
    );
    expect(existsSync(record)).toBe(true);
    await end();
    const order: string[] = [];
    const { behindGate } = await import('../../pipeline/store/use.ts');
    let begin = (): void => undefined;
    const begun = new Promise<void>((done) => {
      begin = done;
    });
    const cleaning = behindGate(store, never, async () => {
      begin();
      await new Promise((done) => setTimeout(done, 300));
      order.push('cleaned');
    });
    await begun;
    const using = beginUse(store, never).then(async (done) => {
      order.push('begun');
      await done();
    });
    await Promise.all([cleaning, using]);
    expect(order).toEqual(['cleaned', 'begun']);
  });
});
