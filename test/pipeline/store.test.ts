import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashFile, hashJson, hashPath } from '../../pipeline/store/hash.ts';
import { parseRecord, recordText, type StepRecord } from '../../pipeline/store/record.ts';
import { Store } from '../../pipeline/store/store.ts';
import { workspace } from '../rig/workspace.ts';

const never = new AbortController().signal;

const record = (key = hashJson('key')): Omit<StepRecord, 'schema' | 'outputs' | 'finished'> => ({
  key,
  pipeline: 'p',
  step: 's',
  fingerprint: { uses: 'u', version: 1, config: { a: 1 }, inputs: {}, sources: {}, environment: {} },
  metrics: { loss: 0.5 },
  seconds: 1,
});

describe('store', () => {
  it('gives back what was published, and finds it again after a restart', async () => {
    using space = workspace();
    const store = await Store.open(space.path('store'));
    const folder = await store.workspace(hashJson('key'));
    mkdirSync(`${folder}/model/deep`, { recursive: true });
    writeFileSync(`${folder}/model/deep/a.txt`, 'hello');
    await store.publish(record(), [{ name: 'model', kind: 'model', folder: `${folder}/model` }]);
    const found = await (await Store.open(space.path('store'))).find(hashJson('key'));
    const artifact = found?.outputs.model;
    expect(artifact?.size).toBe(5);
    expect(artifact && readFileSync(store.input(artifact).path('deep/a.txt'), 'utf8')).toBe('hello');
    expect(found?.metrics).toEqual({ loss: 0.5 });
  });

  it('says which files an artifact has when it is asked for another', async () => {
    using space = workspace();
    const store = await Store.open(space.path('store'));
    const folder = space.path('out');
    space.write('out/a.txt', 'x');
    const { outputs } = await store.publish(record(), [{ name: 'model', kind: 'model', folder }]);
    const input = store.input(outputs.model ?? expect.fail());
    expect(() => input.path('b.txt')).toThrow('a model has no file "b.txt" (it has a.txt)');
  });

  it('takes over the lock of a process that was killed at once', async () => {
    using space = workspace();
    const store = await Store.open(space.path('store'));
    const gone = spawnSync(process.execPath, ['-e', '']).pid;
    mkdirSync(space.path('store', 'locks', `${hashJson('key')}.lock`));
    const holder = JSON.stringify({ process: gone, host: hostname() });
    writeFileSync(space.path('store', 'locks', `${hashJson('key')}.holder`), holder);
    const release = await store.lock(hashJson('key'), never, () => expect.fail('waited for a dead process'));
    await release();
  });

  it('takes over a lock without a sign of life after seconds', async () => {
    using space = workspace();
    const store = await Store.open(space.path('store'));
    mkdirSync(space.path('store', 'locks', `${hashJson('key')}.lock`));
    let waited = 0;
    const release = await store.lock(hashJson('key'), never, () => waited++);
    expect(waited).toBe(1);
    await release();
  });

  it('gives a lock to one of many at a time', async () => {
    using space = workspace();
    const store = await Store.open(space.path('store'));
    let holders = 0;
    const one = async (): Promise<void> => {
      const release = await store.lock(hashJson('key'), never, () => undefined);
      expect(++holders).toBe(1);
      await new Promise((done) => setTimeout(done, 5));
      holders--;
      await release();
    };
    await Promise.all([one(), one(), one(), one()]);
  });

  it('stops waiting for a lock when the run is interrupted', async () => {
    using space = workspace();
    const store = await Store.open(space.path('store'));
    const release = await store.lock(hashJson('key'), never, () => undefined);
    const abort = new AbortController();
    const waiting = store.lock(hashJson('key'), abort.signal, () => abort.abort(new Error('interrupted')));
    await expect(waiting).rejects.toThrow('interrupted');
    await release();
  });

  it.runIf(process.platform === 'linux')('refuses a place where the system makes no folders', async () => {
    await expect(Store.open('/proc/decant/store')).rejects.toThrow('no folder can be made there');
  });

  it('names the option when the folder cannot be written', async () => {
    using space = workspace();
    const file = space.write('file', 'x');
    const opened = Store.open(`${file}/store`);
    await expect(opened).rejects.toMatchObject({ kind: 'request' });
    await expect(opened).rejects.toThrow(
      `the store ${file}/store cannot be written: a file is in the way. Name another folder with --store.`,
    );
  });

  it('refuses any record of which one character changed', () => {
    const whole: StepRecord = { ...record(), schema: 'decant.record/1', outputs: {}, finished: '2020-01-01T00:00:00Z' };
    const text = recordText(whole);
    expect(parseRecord(text)).toBeDefined();
    fc.assert(
      fc.property(fc.nat(text.length - 2), fc.constantFrom('x', '0', '"', ' 7'), (at, put) => {
        const changed = text.slice(0, at) + put + text.slice(at + 1);
        const parsed = parseRecord(changed);
        // Blanks between tokens and zeros behind a fraction carry no meaning.
        return parsed === undefined || hashJson(parsed) === hashJson(whole);
      }),
    );
  });

  it('hashes files in pieces as if they were read whole', async () => {
    using space = workspace();
    const bytes = Buffer.alloc(9_000_001, 'abcdefg');
    const file = space.write('large', bytes);
    const { digest, size } = await hashFile(file);
    expect(size).toBe(statSync(file).size);
    const { createHash } = await import('node:crypto');
    expect(digest).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  it('hashes several files at once as if each were alone', async () => {
    using space = workspace();
    const files = ['a', 'b', 'c'].map((letter) => space.write(letter, Buffer.alloc(9_000_001, `${letter} and more`)));
    const alone = [];
    for (const file of files) alone.push(await hashFile(file));
    expect(await Promise.all(files.map(hashFile))).toEqual(alone);
    expect(new Set(alone.map(({ digest }) => digest)).size).toBe(3);
  });

  it.skipIf(process.platform === 'win32')('refuses a pipe, which would be waited for without an end', async () => {
    using space = workspace();
    const pipe = space.path('pipe');
    spawnSync('mkfifo', [pipe]);
    await expect(hashPath(pipe)).rejects.toThrow(`${pipe} is a pipe or a device, which can be read once only`);
  });
});

describe('checkpoints', () => {
  it('give back any state that was saved, the newest only', async () => {
    using space = workspace();
    const store = await Store.open(space.path('store'));
    const { save, load } = store.checkpoints(hashJson('key'));
    expect(await load()).toBeUndefined();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array()), fc.dictionary(fc.string(), fc.integer()), async (data, meta) => {
        await save({ old: true }, [new Uint8Array(9)]);
        await save(meta, data);
        const state = await load();
        expect(state?.meta).toEqual(JSON.parse(JSON.stringify(meta)));
        expect(Buffer.from(state?.data ?? [])).toEqual(Buffer.concat(data));
      }),
      { numRuns: 25 },
    );
  });

  it('count as none when any byte changed or the end is missing', async () => {
    using space = workspace();
    const store = await Store.open(space.path('store'));
    const { save, load, folder } = store.checkpoints(hashJson('key'));
    await save({ step: 3 }, [new Uint8Array([1, 2, 3])]);
    const whole = readFileSync(`${folder}/state.bin`);
    for (let at = 0; at < whole.length; at++) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ 4;
      writeFileSync(`${folder}/state.bin`, bytes);
      expect(await load()).toBeUndefined();
      writeFileSync(`${folder}/state.bin`, whole.subarray(0, at));
      expect(await load()).toBeUndefined();
    }
  });
});
