import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isUserError } from '../../ground/errors.ts';
import type { Progress } from '../../ground/progress.ts';
import { endpointFrom, endpointProblem, tokenFrom } from '../../stages/download/endpoint.ts';
import type { Hub } from '../../stages/download/hub.ts';
import { chooseFiles, listFiles } from '../../stages/download/listing.ts';
import { parseSpecifier, specifierProblem } from '../../stages/download/specifier.ts';
import { downloadFiles } from '../../stages/download/transfer.ts';
import { COMMIT, type HubOptions, type Mischief, rigHub, sendFile, sha256, siblingOf } from '../rig/hub.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

/** Bytes that no compression or repetition makes equal to others by chance. */
const noise = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7919 + (i >> 8) * 104729) & 255);

const weights = noise(3_000_000);
const text = (content: string): Uint8Array => Buffer.from(content);
const files = {
  '.gitattributes': text('*.safetensors filter=lfs'),
  'README.md': text('---\nlicense: apache-2.0\n---\n'),
  'config.json': text('{"model_type":"bert"}'),
  'model.safetensors': weights,
  'modules.json': text('[]'),
  '1_Pooling/config.json': text('{"pooling_mode_mean_tokens":true}'),
  'tokenizer.json': text('{"model":{}}'),
  'pytorch_model.bin': text('a pickle'),
  'modeling_tiny.py': text('import os'),
  'onnx/model.onnx': text('onnx'),
} as const;

const taken = [
  '1_Pooling/config.json',
  'README.md',
  'config.json',
  'model.safetensors',
  'modules.json',
  'tokenizer.json',
];

/** Hashes are compared: a picture of what differs between megabytes takes minutes to paint. */
const hasWeights = (path = ''): boolean => sha256(readFileSync(path)) === sha256(weights);

interface Settings {
  readonly token?: string;
  readonly specifier?: string;
  readonly signal?: AbortSignal;
  readonly endpoint?: string;
  readonly onProgress?: (progress: Progress) => void;
}

const hubAt = (endpoint: string, { token, signal }: Settings, log: (message: string) => void): Hub => ({
  endpoint,
  token,
  signal: signal ?? new AbortController().signal,
  patience: { stallMs: 250, pauseMs: 2, longestMs: 3000 },
  log,
});

/** Downloads everything into the folder and says what came of it. */
const download = async (url: string, space: Workspace, settings: Settings = {}) => {
  const logs: string[] = [];
  const hub = hubAt(settings.endpoint ?? url, settings, (message) => logs.push(message));
  const listing = await listFiles(hub, parseSpecifier(settings.specifier ?? 'hub:tiny/bert@main'));
  const found = await downloadFiles(hub, listing, space.folder, settings.onProgress ?? (() => undefined));
  return { logs, listing, found };
};

const problemOf = async (options: HubOptions, settings: Settings = {}): Promise<string> => {
  using space = workspace();
  await using server = await rigHub(options);
  const error: unknown = await download(server.url, space, settings).catch((failure: unknown) => failure);
  if (!isUserError(error, 'stage')) throw new Error(`no refusal: ${error}`);
  return error.message.replaceAll(server.url, 'HUB').replaceAll(server.cdn.url, 'CDN');
};

const isFile = (path: string, name: string): boolean => path.endsWith(`/${COMMIT}/${name}`);

/** Does something else for the first requests for a file. */
const atFirst = (name: string, times: number, act: Mischief): Mischief => {
  let left = times;
  return (path, request, response) => isFile(path, name) && left-- > 0 && act(path, request, response);
};

const cutAt =
  (bytes: number): Mischief =>
  (_, request, response) => {
    const from = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0);
    const range = { 'content-range': `bytes ${from}-${weights.length - 1}/${weights.length}` };
    const headers = { etag: `"${sha256(weights)}"`, 'content-length': weights.length - from };
    response.writeHead(from === 0 ? 200 : 206, from === 0 ? headers : { ...headers, ...range });
    response.write(weights.subarray(from, from + bytes), () => setTimeout(() => response.destroy(), 5));
    return true;
  };

const answer =
  (status: number, headers: Record<string, string> = {}): Mischief =>
  (_path, _request, response) => {
    response.writeHead(status, headers).end('{}');
    return true;
  };

describe('a download from the hub', () => {
  it('brings the files of a checkpoint and no others, each with the bytes that the hub names', async () => {
    using space = workspace();
    await using server = await rigHub({ files });
    const progress: Progress[] = [];
    const { listing, found } = await download(server.url, space, { onProgress: (one) => progress.push(one) });
    expect(listing.commit).toBe(COMMIT);
    expect([...found.keys()].sort()).toEqual(taken);
    for (const [name, path] of found) expect(sha256(readFileSync(path))).toBe(sha256(files[name as 'config.json']));
    const asked = [...server.got, ...server.cdn.got].map(({ path }) => path);
    expect(asked.filter((path) => /\.bin|\.py|onnx|gitattributes/.test(path))).toEqual([]);
    const total = taken.reduce((sum, name) => sum + files[name as 'config.json'].length, 0);
    expect(progress.at(-1)).toMatchObject({ done: total, total, unit: 'bytes' });
    expect(progress.every(({ done }, i) => done >= (progress[i - 1]?.done ?? 0))).toBe(true);
  });

  it('asks for nothing that is there already', async () => {
    using space = workspace();
    await using server = await rigHub({ files });
    await download(server.url, space);
    const before = server.got.length;
    await download(server.url, space);
    expect(server.got.slice(before).map(({ path }) => path)).toEqual([
      '/api/models/tiny/bert/revision/main?blobs=true',
    ]);
  });

  it('asks for a branch with a slash, and takes files of its commit', async () => {
    using space = workspace();
    await using server = await rigHub({ files });
    const { listing } = await download(server.url, space, { specifier: 'hub:tiny/bert@v1/new' });
    expect(listing.commit).toBe(COMMIT);
  });

  it('works behind an address with a path, as mirrors have one', async () => {
    using space = workspace();
    await using server = await rigHub({
      files,
      mischief: (path, request, response) => {
        if (!path.startsWith('/mirror/')) return false;
        response.writeHead(307, { location: (request.url ?? '').replace('/mirror', '') }).end();
        return true;
      },
    });
    const { found } = await download(server.url, space, { endpoint: `${server.url}/mirror` });
    expect(found.size).toBe(taken.length);
  });

  it('takes files of equal bytes once', async () => {
    using space = workspace();
    const twins = { ...files, 'modules.json': text('{}'), 'tokenizer.json': text('{}') };
    await using server = await rigHub({ files: twins });
    const { found } = await download(server.url, space);
    expect(found.get('modules.json')).toBe(found.get('tokenizer.json'));
    expect(readFileSync(found.get('modules.json') ?? '', 'utf8')).toBe('{}');
  });
});

describe('a connection that fails', () => {
  it('goes on where it was cut, with the version it has', async () => {
    using space = workspace();
    await using server = await rigHub({ files, cdnMischief: atFirst('model.safetensors', 2, cutAt(1_000_000)) });
    const { found, logs } = await download(server.url, space);
    expect(hasWeights(found.get('model.safetensors'))).toBe(true);
    const ranges = server.cdn.got.map(({ headers }) => [headers.range, headers['if-range']]);
    expect(ranges[0]).toEqual([undefined, undefined]);
    expect(ranges).toHaveLength(3);
    for (const [range, version] of ranges.slice(1)) {
      expect(range).toMatch(/^bytes=[1-9]\d+-$/);
      expect(version).toBe(`"${sha256(weights)}"`);
    }
    expect(logs[0]).toMatch(/^model\.safetensors at \d\.\d+ MB of 3\.0 MB: .* tries again in 0 s$/);
  });

  it('goes on after an interruption, in another run', async () => {
    using space = workspace();
    await using server = await rigHub({ files });
    const abort = new AbortController();
    const onProgress = ({ done }: Progress): void => {
      if (done > 1_000_000) abort.abort(new Error('interrupted'));
    };
    await expect(download(server.url, space, { signal: abort.signal, onProgress })).rejects.toThrow('interrupted');
    const kept = statSync(space.path(`${sha256(weights)}.part`)).size;
    expect(kept).toBeGreaterThan(500_000);
    expect(kept).toBeLessThan(weights.length);
    const { found } = await download(server.url, space);
    expect(server.cdn.got.at(-1)?.headers.range).toBe(`bytes=${kept}-`);
    expect(hasWeights(found.get('model.safetensors'))).toBe(true);
  });

  it('starts over where the server has another version, or cannot continue', async () => {
    using space = workspace();
    const hash = sha256(weights);
    writeFileSync(space.path(`${hash}.part`), noise(1000).fill(1));
    writeFileSync(space.path(`${hash}.etag`), '"another version"');
    await using server = await rigHub({ files });
    await download(server.url, space);
    expect(server.cdn.got[0]?.headers['if-range']).toBe('"another version"');

    for (const status of [416, 206]) {
      using other = workspace();
      writeFileSync(other.path(`${hash}.part`), noise(1000));
      const cdnMischief = atFirst('model.safetensors', 1, answer(status));
      await using refusing = await rigHub({ files, cdnMischief });
      const { logs } = await download(refusing.url, other);
      expect(logs).toEqual(['model.safetensors: the hub cannot go on from there; tries again in 0 s']);
      expect(existsSync(other.path(hash))).toBe(true);
    }
  });

  it('drops a part that is longer than the file', async () => {
    using space = workspace();
    writeFileSync(space.path(`${sha256(weights)}.part`), noise(weights.length + 5));
    await using server = await rigHub({ files });
    const { found } = await download(server.url, space);
    expect(hasWeights(found.get('model.safetensors'))).toBe(true);
  });

  it('gives up on a server that ends every answer early, and keeps what arrived', async () => {
    using space = workspace();
    const short: Mischief = (path, _, response) => {
      if (!isFile(path, 'model.safetensors')) return false;
      response.writeHead(200, { 'content-length': 1000 }).end(weights.subarray(0, 1000));
      return true;
    };
    await using server = await rigHub({ files, cdnMischief: short });
    await expect(download(server.url, space)).rejects.toThrow(
      /^model\.safetensors at 0\.001 MB of 3\.0 MB: the answer ended early; given up after 6 attempts\. Run the same command again later: what has arrived is kept$/,
    );
    expect(statSync(space.path(`${sha256(weights)}.part`)).size).toBe(1000);
  });

  it('gives up on a server that cuts every answer and never goes on where it did', async () => {
    using space = workspace();
    const restarts: Mischief = (path, request, response) => {
      if (!isFile(path, 'model.safetensors')) return false;
      const cut = request.headers.range === undefined ? cutAt(2_000_000) : answer(206);
      return cut(path, request, response);
    };
    await using server = await rigHub({ files, cdnMischief: restarts });
    await expect(download(server.url, space)).rejects.toThrow(/given up after 6 attempts/);
    expect(server.cdn.got.length).toBeLessThan(10);
  });

  it('waits for a slow server as long as something arrives, and cuts one that stalls', async () => {
    using space = workspace();
    let stalls = 1;
    const slow: Mischief = (path, request, response) => {
      if (!isFile(path, 'model.safetensors')) return false;
      if (stalls-- > 0) {
        response.writeHead(200, { 'content-length': weights.length });
        response.write(weights.subarray(0, 700_000));
        return true;
      }
      const from = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0);
      response.writeHead(206, { 'content-range': `bytes ${from}-${weights.length - 1}/${weights.length}` });
      const step = Math.ceil((weights.length - from) / 8);
      const send = (at: number): void => {
        response.write(weights.subarray(at, at + step));
        if (at + step < weights.length) setTimeout(send, 60, at + step);
        else response.end();
      };
      send(from);
      return true;
    };
    await using server = await rigHub({ files, cdnMischief: slow });
    const { found, logs } = await download(server.url, space);
    expect(logs).toHaveLength(1);
    expect(logs[0]).toMatch(/at 0\.700 MB of 3\.0 MB: the connection to 127\.0\.0\.1:\d+ failed \(nothing arrived for/);
    expect(hasWeights(found.get('model.safetensors'))).toBe(true);
  });

  it('says that a hub cannot be reached', async () => {
    using space = workspace();
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    await expect(download(`http://127.0.0.1:${port}`, space)).rejects.toThrow(
      `the connection to 127.0.0.1:${port} failed (ECONNREFUSED); given up after 6 attempts`,
    );
  });
});

describe('a hub that is busy', () => {
  it('is given the time it asks for', async () => {
    using space = workspace();
    await using server = await rigHub({
      files,
      mischief: atFirst('tokenizer.json', 1, answer(429, { 'retry-after': '1' })),
    });
    const started = performance.now();
    const { logs, found } = await download(server.url, space);
    expect(performance.now() - started).toBeGreaterThan(990);
    expect(logs).toEqual([
      'tokenizer.json: the hub answers 429 for tokenizer.json of tiny/bert: it got too many requests; tries again in 1 s',
    ]);
    expect(found.size).toBe(taken.length);
  });

  it.each([
    ['seconds', { 'retry-after': '7200' }, '7200 s'],
    ['its own header', { ratelimit: '"api";r=0;t=55' }, '55 s'],
    ['a date', { 'retry-after': new Date(Date.now() + 3_600_000).toUTCString() }, '3\\d\\d\\d s'],
  ])('is not waited for when it asks for too long, in %s', async (_, headers, time) => {
    const problem = await problemOf({ files, mischief: atFirst('config.json', 99, answer(429, headers)) });
    expect(problem).toMatch(new RegExp(`429.*asks to wait ${time}; run the same command again after that`));
  });

  it('is asked again after a failure, and not for ever', async () => {
    using space = workspace();
    await using server = await rigHub({ files, mischief: atFirst('config.json', 3, answer(503)) });
    expect((await download(server.url, space)).logs).toHaveLength(3);
    const problem = await problemOf({ files, mischief: atFirst('config.json', 99, answer(500)) });
    expect(problem).toMatch(/the hub answers 500 for config\.json of tiny\/bert.*given up after 6 attempts/);
  });
});

describe('bytes that are not those the hub names', () => {
  it.each(['config.json', 'model.safetensors'])('fail and are deleted: %s', async (name) => {
    using space = workspace();
    const wrong: Mischief = (path, request, response) => {
      if (!isFile(path, name)) return false;
      const bytes = Uint8Array.from(files[name as 'config.json']);
      bytes[5] = 0;
      sendFile(request, response, bytes);
      return true;
    };
    const wherever = name === 'config.json' ? { mischief: wrong } : { cdnMischief: wrong };
    await using server = await rigHub({ files, ...wherever });
    const said = await download(server.url, space).catch((error: Error) => error.message);
    expect(said).toMatch(
      new RegExp(
        `^${name} arrived with other bytes than the hub names \\((git-sha1|sha256) \\w+, expected \\w+\\); it was deleted`,
      ),
    );
    const expected = /expected (\w+)/.exec(String(said))?.[1] ?? '';
    expect(readdirSync(space.folder).filter((file) => file.startsWith(expected))).toEqual([]);
  });

  it('are not read past the announced size', async () => {
    using space = workspace();
    let sent = 0;
    const endless =
      (bytes: Uint8Array): Mischief =>
      (path, _, response) => {
        if (!isFile(path, 'model.safetensors')) return false;
        response.writeHead(200);
        const pour = (): void => {
          while (!response.destroyed && response.write(bytes)) sent += bytes.length;
          response.once('drain', pour);
        };
        pour();
        return true;
      };
    await using server = await rigHub({ files, cdnMischief: endless(noise(65_536).fill(7)) });
    await expect(download(server.url, space)).rejects.toThrow(/^model\.safetensors arrived with other bytes/);
    expect(sent).toBeLessThan(20 * weights.length);

    await using right = await rigHub({ files, cdnMischief: endless(weights) });
    const { found } = await download(right.url, space);
    expect(hasWeights(found.get('model.safetensors'))).toBe(true);
  });

  it('are noticed in a file that was damaged since', async () => {
    using space = workspace();
    await using server = await rigHub({ files });
    const { found } = await download(server.url, space);
    const path = found.get('model.safetensors') ?? '';
    writeFileSync(path, noise(weights.length).fill(3));
    await download(server.url, space);
    expect(hasWeights(path)).toBe(true);
  });
});

describe('the token', () => {
  const tokens = (got: readonly { readonly headers: { readonly authorization?: string | undefined } }[]) =>
    new Set(got.map(({ headers }) => headers.authorization));

  it('goes to the hub and never along a redirect to another host', async () => {
    using space = workspace();
    await using server = await rigHub({ files });
    await download(server.url, space, { token: 'hf_secret' });
    expect(tokens(server.got)).toEqual(new Set(['Bearer hf_secret']));
    expect(server.cdn.got).toHaveLength(1);
    expect(tokens(server.cdn.got)).toEqual(new Set([undefined]));
  });

  it('stays behind when another host sends the way back', async () => {
    using space = workspace();
    let hub = '';
    const back: Mischief = (path, _, response) => {
      response.writeHead(302, { location: `${hub}/back${path}` }).end();
      return true;
    };
    await using server = await rigHub({
      files,
      cdnMischief: back,
      mischief: (path, request, response) => {
        if (!path.startsWith('/back')) return false;
        sendFile(request, response, weights);
        return true;
      },
    });
    hub = server.url;
    await download(server.url, space, { token: 'hf_secret' });
    const backAgain = server.got.filter(({ path }) => path.startsWith('/back'));
    expect(tokens(backAgain)).toEqual(new Set([undefined]));
  });

  it('is not part of any message', async () => {
    const problem = await problemOf({ files, mischief: answer(401) }, { token: 'hf_secret' });
    expect(problem).not.toContain('hf_secret');
    expect(() => tokenFrom({ HF_TOKEN: 'hf_\u00e9secret' })).toThrow(/^HF_TOKEN holds characters that no token has/);
    expect(tokenFrom({ HF_TOKEN: '  hf_x\n' })).toBe('hf_x');
    expect(tokenFrom({ HF_TOKEN: '' })).toBeUndefined();
  });
});

describe('redirects', () => {
  it('end after five', async () => {
    let hops = 0;
    const around: Mischief = (path, _, response) => {
      if (!path.startsWith('/api/')) return false;
      response.writeHead(302, { location: `/api/around/${hops++}` }).end();
      return true;
    };
    expect(await problemOf({ files, mischief: around })).toMatch(/^127\.0\.0\.1:\d+ redirects more than 5 times$/);
    expect(hops).toBe(6);
  });

  it.each([
    ['http://example.com/x', 'redirects to http://example.com; only https addresses are followed'],
    ['file:///etc/passwd', 'redirects to file://; only https addresses are followed'],
    ['https://user:secret@example.com/x', 'redirects to https://example.com; only https addresses are followed'],
    ['http://', 'redirects to an address that is none'],
  ])('to %s are refused', async (location, message) => {
    const problem = await problemOf({ files, mischief: atFirst('config.json', 1, answer(302, { location })) });
    expect(problem.replace(/^127\.0\.0\.1:\d+ /, '')).toBe(message);
  });
});

describe('what the hub refuses', () => {
  it.each([
    [
      'no such model',
      { specifier: 'hub:tiny/nothing' },
      answer(404),
      /^there is no tiny\/nothing with a revision 'main' at HUB \(404\)/,
    ],
    ['no such revision', { specifier: 'hub:tiny/bert@v9' }, undefined, /^tiny\/bert has no revision 'v9' \(404\)/],
    [
      'private',
      {},
      answer(401, { 'x-error-code': 'RepoNotFound' }),
      /^the hub does not show tiny\/bert without a token \(401\).*set HF_TOKEN/,
    ],
    ['a bad token', { token: 'x' }, answer(401), /^the hub refuses tiny\/bert to the token in HF_TOKEN \(401\)/],
    [
      'gated',
      {},
      answer(401, { 'x-error-code': 'GatedRepo' }),
      /gated or private; ask for access at HUB\/tiny\/bert, then set HF_TOKEN/,
    ],
    [
      'forbidden',
      { token: 'x' },
      answer(403),
      /\(403\).*ask for access at HUB\/tiny\/bert for the account whose token HF_TOKEN holds$/,
    ],
    [
      'a missing file',
      {},
      atFirst('config.json', 1, answer(404)),
      /^the hub lists config\.json of tiny\/bert, but does not have it \(404\)$/,
    ],
    ['anything else', {}, answer(418), /^the hub answers 418 for tiny\/bert; expected 200$/],
  ])('is said with what to do: %s', async (_, settings, mischief, message) => {
    expect(await problemOf({ files, ...(mischief === undefined ? {} : { mischief }) }, settings)).toMatch(message);
  });
});

describe('a list of files that cannot be trusted', () => {
  const body =
    (content: string): Mischief =>
    (path, _, response) => {
      if (!path.startsWith('/api/')) return false;
      response.end(content);
      return true;
    };

  it.each([
    ['a page', '<html>sign in</html>'],
    ['no list', '{"sha": 5}'],
    ['a commit that is none', JSON.stringify({ sha: '../../x', siblings: [] })],
    ['a negative size', JSON.stringify({ sha: COMMIT, siblings: [{ rfilename: 'config.json', size: -1 }] })],
  ])('%s is refused', async (_, content) => {
    expect(await problemOf({ files, mischief: body(content) })).toMatch(/something else than a list of files/);
  });

  it('that never ends is left', async () => {
    const problem = await problemOf({
      files,
      mischief: (_path, _request, response) => {
        const pour = (): void => {
          while (!response.destroyed && response.write('[[[[[[[['.repeat(8192)));
          response.once('drain', pour);
        };
        pour();
        return true;
      },
    });
    expect(problem).toBe('the hub lists files without end: over 16 MB of them; stopped');
  });

  it('with another commit than the one asked for is refused', async () => {
    const asked = `hub:tiny/bert@${'a'.repeat(40)}`;
    const list = JSON.stringify({ sha: COMMIT, siblings: [] });
    expect(await problemOf({ files, mischief: body(list) }, { specifier: asked })).toMatch(/answers with commit 1234/);
  });

  const model = parseSpecifier('hub:tiny/bert');
  const listOf = (...names: readonly string[]) => names.map((name) => siblingOf(name, text(name)));
  const choose = (list: readonly Record<string, unknown>[]) =>
    chooseFiles(model, list as Parameters<typeof chooseFiles>[1]);

  it.each(['../evil', '/etc/passwd', 'a/../../b', '..\\b', 'C:\\x', 'c:x', '', 'a/./b', 'x\0y'])(
    'with the name %j is refused',
    (name) => {
      const list = [...listOf('config.json', 'model.safetensors'), { ...siblingOf('x', text('')), rfilename: name }];
      expect(() => choose(list)).toThrow(/which would lie outside of the folder; nothing was downloaded$/);
    },
  );

  it.each(['adapter_config.json', 'adapter_model.safetensors'])('with an adapter is refused: %s', (name) => {
    const message = `tiny/bert@main holds an adapter (${name}), the difference from another model: merge`;
    expect(() => choose(listOf('config.json', 'model.safetensors', name))).toThrow(message);
    expect(() => choose(listOf(name))).toThrow(message);
  });

  it('never places a file outside of the folder, whatever it is called', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const list = [...listOf('config.json', 'model.safetensors'), { ...siblingOf('x', text('')), rfilename: name }];
        try {
          return choose(list).every(({ path }) => /^(\d{1,2}_Pooling\/)?[\w.-]+$/.test(path) && !path.includes('..'));
        } catch (error) {
          return isUserError(error, 'stage');
        }
      }),
    );
  });

  it('takes shards where there is no single file, and one file before shards', () => {
    const shards = [
      'model.safetensors.index.json',
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
    ];
    expect(choose(listOf('config.json', ...shards)).map(({ path }) => path)).toEqual(['config.json', ...shards]);
    expect(choose(listOf('config.json', 'model.safetensors', ...shards)).map(({ path }) => path)).toEqual([
      'config.json',
      'model.safetensors',
    ]);
  });

  it('takes shards whatever the index calls them', () => {
    const shards = ['model.safetensors.index.json', 'encoder.safetensors', 'head-2.safetensors'];
    const list = listOf('config.json', ...shards, 'onnx/other.safetensors', '.hidden.safetensors');
    expect(choose(list).map(({ path }) => path)).toEqual(['config.json', ...shards]);
    const both = listOf(
      'config.json',
      'model.safetensors.index.json',
      'model-1-of-1.safetensors',
      'adapter.safetensors',
    );
    expect(choose(both).map(({ path }) => path)).not.toContain('adapter.safetensors');
  });

  it('without what is needed says what is missing', () => {
    expect(() => choose(listOf('model.safetensors'))).toThrow('tiny/bert@main holds no config.json');
    expect(() => choose(listOf('config.json'))).toThrow(
      'tiny/bert@main holds no model.safetensors. Only safetensors is',
    );
    expect(() => choose(listOf('config.json', 'pytorch_model.bin'))).toThrow(
      /holds its weights as pytorch_model\.bin only\. Only safetensors is read, because reading a \.bin can run code/,
    );
    expect(() => choose([...listOf('config.json', 'config.json', 'model.safetensors')])).toThrow('lists a file twice');
    for (const missing of ['blobId', 'size']) {
      const { [missing]: _, ...rest } = siblingOf('config.json', text(''));
      expect(() => choose([rest, ...listOf('model.safetensors')])).toThrow(
        /^the hub names no (hash|size) for config\.json, so it cannot be checked; nothing was downloaded$/,
      );
    }
  });
});

describe('specifiers and addresses', () => {
  it.each([
    ['hub:google-bert/bert-base-uncased', 'main'],
    ['hub:a/b@refs/pr/1', 'refs/pr/1'],
    ['hub:sentence-transformers/all-MiniLM-L6-v2@v1.0+x', 'v1.0+x'],
    [`hub:a/b@${COMMIT}`, COMMIT],
  ])('%s means the revision %s', (specifier, revision) => {
    expect(specifierProblem(specifier)).toBeUndefined();
    expect(parseSpecifier(specifier).revision).toBe(revision);
  });

  it.each([
    ['hub:bert-base-uncased', /names no owner; expected hub:owner\/name/],
    ['hub:', /is no name of the hub/],
    ['hub:a/b/c', /'a\/b\/c' in .* is no name/],
    ['hub:a/..', /'\.\.' in .* is no name/],
    ['hub:a/b--c', /'b--c'/],
    ['hub:a/b.git', /'b\.git'/],
    ['hub:-a/b', /'-a'/],
    ['hub:a b/c', /'a b'/],
    ['hub:a/b@', /'' in .* is no revision/],
    ['hub:a/b@../x', /'\.\.\/x'/],
    ['hub:a/b@a..b', /'a\.\.b'/],
    ['hub:a/b@x?y=1', /'x\?y=1'/],
    ['hub:a/b@x@y', /'x@y'/],
    ['hub:a/b@x.lock', /'x\.lock'/],
  ])('%s is refused', (specifier, message) => {
    expect(specifierProblem(specifier)).toMatch(message);
    expect(() => parseSpecifier(specifier)).toThrow(message);
  });

  it('takes https, and http for this machine alone', () => {
    expect(endpointFrom({})).toBe('https://huggingface.co');
    expect(endpointFrom({ HF_ENDPOINT: ' https://hub.example/path/ ' })).toBe('https://hub.example/path');
    for (const good of ['https://x.example', 'http://127.0.0.1:80', 'http://localhost:1', 'http://[::1]:1']) {
      expect(endpointProblem(good)).toBeUndefined();
    }
    for (const bad of ['hub.example', 'http://x.example', 'ftp://x', 'http://127.0.0.1.evil.example', 'https://x?y']) {
      expect(endpointProblem(bad)).toMatch(/^HF_ENDPOINT is '/);
    }
    expect(endpointProblem('https://u:secret@x.example')).toBe(
      'HF_ENDPOINT holds a user or password; set HF_TOKEN instead',
    );
  });
});
