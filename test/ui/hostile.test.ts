import { cpSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../rig/build.ts';
import { workspace } from '../rig/workspace.ts';
import { type Asking, askPort, type OpenPage, openPage, type Said, sendRaw } from './page.ts';

const space = workspace();
let page: OpenPage;
let id: string;

beforeAll(async () => {
  cpSync(`${root}test/golden/reports/before`, space.path('runs', 'before'), { recursive: true });
  space.write('secret.txt', 'a secret');
  space.write('runs/secret.txt', 'a secret');
  page = await openPage(space.path('runs'));
  [{ id }] = JSON.parse((await page.get('runs')).body).runs;
});
afterAll(async () => {
  await page.close();
  space[Symbol.dispose]();
});

const secretWords = (): readonly string[] => [page.token, page.room.slice(1, -1), 'a secret', 'before', 'root:'];

/** Nothing of what the page knows stands in an answer to somebody else. */
const expectNothingIn = (said: string): void => expect(secretWords().filter((word) => said.includes(word))).toEqual([]);

interface Asked extends Asking {
  readonly path: string;
}
type Hostile = readonly [name: string, status: number, asked: () => Asked];
type Headers = Readonly<Record<string, string>>;

const own = (more: Headers = {}): Headers => ({ cookie: page.cookie, ...more });
const first = (query: string, headers: Headers = {}): Asked => ({ path: `/${query}`, headers });
const below = (path: string): Asked => ({ path: `${page.room}${path}`, headers: own() });
const list = (headers: Headers): Asked => ({ path: `${page.room}runs`, headers });

const question = '{"model":"models/a","text":"a","pair":""}';
const post = (path: string, headers: Headers = {}, body = question): Asked => ({
  path: `${page.room}${path}`,
  method: 'POST',
  headers: own({ origin: `http://127.0.0.1:${page.port}`, 'content-type': 'application/json', ...headers }),
  body,
});
const ask = (headers: Headers = {}, body = question): Asked => post(`runs/${id}/ask`, headers, body);

const nothing = '0'.repeat(48);

/** Requests of whoever has no token, or of a page that is not ours in the browser of somebody who has. */
const strangers: readonly Hostile[] = [
  ['no token', 403, () => first('')],
  ['no token but the room', 403, () => list({})],
  ['a wrong token', 403, () => first(`?token=${nothing}`)],
  ['a token with more behind it', 403, () => first(`?token=${page.token}&x=1`)],
  ['a token that is cut', 403, () => first(`?token=${page.token.slice(0, -1)}`)],
  ['a wrong cookie', 403, () => list({ cookie: 'decant=1' })],
  ['the cookie by another name', 403, () => list({ cookie: `x${page.cookie}` })],
  ['the token in the place of the room', 403, () => ({ path: `/${page.token}/runs`, headers: own() })],
  ['another room', 403, () => ({ path: `/${nothing}/runs`, headers: own() })],
  ['the name of a stranger that leads here', 403, () => list(own({ host: 'evil.example' }))],
  ['that name with our port', 403, () => list(own({ host: `evil.example:${page.port}` }))],
  ['our name with another port', 403, () => list(own({ host: '127.0.0.1:1' }))],
  ['a name that begins with ours', 403, () => list(own({ host: `127.0.0.1:${page.port}.evil.example` }))],
  ['the token under a wrong name', 403, () => first(`?token=${page.token}`, { host: 'evil.example' })],
  ['a page of another site', 403, () => list(own({ 'sec-fetch-site': 'cross-site' }))],
  ['a page of another port', 403, () => list(own({ 'sec-fetch-site': 'same-site' }))],
  ['another origin that reads', 403, () => list(own({ origin: 'http://evil.example' }))],
  ['an origin that is none', 403, () => ask({ origin: 'null' })],
  ['another origin that asks', 403, () => ask({ origin: 'http://evil.example' })],
  ['a form of another site', 403, () => ask({ origin: 'http://evil.example', 'content-type': 'text/plain' })],
  ['a question of nobody', 403, () => ({ ...ask(), headers: own({ 'content-type': 'application/json' }) })],
  ['a preflight', 405, () => ({ ...ask({ origin: 'http://evil.example' }), method: 'OPTIONS', body: '' })],
  ['another method', 405, () => ({ ...list(own()), method: 'DELETE' })],
  ['an absolute address', 400, () => ({ path: 'http://evil.example/', headers: own() })],
  ['an absolute address of ours', 400, () => ({ path: page.address })],
];

/** Requests of whoever is let in, for what is none of the page's. */
const curious: readonly Hostile[] = [
  ['a path out of the folder', 404, () => below('runs/../secret.txt')],
  ['a longer one', 404, () => below('../../../../etc/passwd')],
  ['one in other letters', 404, () => below('runs/%2e%2e%2f%2e%2e%2fsecret.txt')],
  ['one in letters of letters', 404, () => below('runs/%252e%252e%252fsecret.txt')],
  ['one with backslashes', 404, () => below('runs/..\\secret.txt')],
  ['a name in the place of an id', 404, () => below('runs/before')],
  ['a script that is none', 404, () => below('../server.js')],
  ['an id with a path behind it', 404, () => below(`runs/${id}/report/../../../secret.txt`)],
  ['a comparison with a file', 404, () => below(`runs/${id}/against/git:main:report.json`)],
  ['a name of JavaScript', 404, () => below('__proto__')],
  ['an empty id', 404, () => below('runs//report')],
  ['a query', 404, () => below('runs?folder=/etc')],
  ['a list that is written', 405, () => post('runs')],
  ['a question that is read', 405, () => below(`runs/${id}/ask`)],
  ['a question as text', 415, () => ask({ 'content-type': 'text/plain' })],
  ['a question that is no JSON', 400, () => ask({}, '{')],
  ['a question of another kind', 400, () => ask({}, '[1]')],
  ['a model out of the folder', 400, () => ask({}, question.replace('models/a', '../../secret.txt'))],
  ['a model that is not there', 400, () => ask()],
  ['a long question', 413, () => ask({}, 'x'.repeat(100_000))],
  ['a long question of untold length', 413, () => ask({ 'transfer-encoding': 'chunked' }, 'x'.repeat(100_000))],
];

const answerTo = ({ path, ...asking }: Asked): Promise<Said> => askPort(page.port, path, asking);

const hosted = (line: string, ...headers: readonly string[]): string =>
  `${[line, `Host: 127.0.0.1:${page.port}`, ...headers].join('\r\n')}\r\n\r\n`;

/** What no client sends. */
const malformed: readonly (readonly [name: string, status: number, bytes: () => string])[] = [
  ['two hosts', 400, () => hosted(`GET /?token=${page.token} HTTP/1.1`, 'Host: evil.example', 'Connection: close')],
  ['no host', 400, () => `GET /?token=${page.token} HTTP/1.1\r\n\r\n`],
  ['no host, in the way of long ago', 400, () => `GET /?token=${page.token} HTTP/1.0\r\n\r\n`],
  ['a tunnel', 0, () => hosted('CONNECT evil.example:80 HTTP/1.1')],
  ['all paths', 405, () => hosted('OPTIONS * HTTP/1.1', 'Connection: close')],
  ['long headers', 431, () => hosted('GET / HTTP/1.1', `X: ${'x'.repeat(20_000)}`)],
  ['no HTTP', 400, () => '\u0016\u0003\u0001 hello\r\n\r\n'],
  ['two lengths', 400, () => hosted('POST / HTTP/1.1', 'Content-Length: 1', 'Transfer-Encoding: chunked')],
];

describe('the page is refused to', () => {
  it.each(strangers)('%s: %i', async (_, status, asked) => {
    const said = await answerTo(asked());
    expect(said.status).toBe(status);
    expectNothingIn(said.body + JSON.stringify(said.headers));
    expect(Object.keys(said.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it.each(curious)('who asks for what is not there: %s: %i', async (_, status, asked) => {
    const said = await answerTo(asked());
    expect(said.status).toBe(status);
    expectNothingIn(said.body);
  });

  it.each(malformed)('%s: %i', async (_, status, bytes) => {
    const said = await sendRaw(page.port, bytes());
    expect(Number(/^HTTP\/1\.1 (\d+)/.exec(said)?.[1] ?? 0)).toBe(status);
    expectNothingIn(said);
  });

  it('more connections than a browser opens, and is there again when they are gone', async () => {
    const sockets: Socket[] = [];
    const closed = await Promise.all(
      Array.from(
        { length: 100 },
        () =>
          new Promise<boolean>((resolve) => {
            const socket = connect(page.port, '127.0.0.1');
            sockets.push(socket);
            socket.on('error', () => resolve(true)).on('close', () => resolve(true));
            socket.on('connect', () => setTimeout(() => resolve(socket.destroyed), 2000));
          }),
      ),
    );
    expect(closed.filter(Boolean).length).toBeGreaterThanOrEqual(36);
    for (const socket of sockets) socket.destroy();
    await expect
      .poll(() =>
        page.get('runs').then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .toBe(200);
  });
});

describe('the page', () => {
  it('is of this machine alone', () => {
    expect(page.address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[0-9a-f]{48}$/);
  });

  it('is let in by its address, with a cookie that no other site and no other server sees', async () => {
    const said = await askPort(page.port, `/?token=${page.token}`);
    expect(said.status).toBe(200);
    expect(said.headers['set-cookie']).toEqual([`decant=${page.token}; Path=${page.room}; HttpOnly; SameSite=Strict`]);
    expect(page.room).not.toContain(page.token);
  });

  it('says with every answer what browsers may make of it', async () => {
    for (const path of ['', 'style.css', 'main.js', 'runs', `runs/${id}`, `runs/${id}/report`, 'nothing']) {
      const { headers } = await page.get(path);
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'same-origin',
      });
      const policy = `${headers['content-security-policy']}`;
      expect(policy).toMatch(/^default-src 'none'; /);
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/\*|unsafe-eval|script-src[^;]*(?:http|unsafe)/);
    }
  });

  it('takes less than 40 kB, script and style together', async () => {
    const { body } = await page.get('');
    expect(body).toContain('<script type="module" src="main.js"></script>');
    const names = ['style.css', 'main.js'];
    let bytes = 0;
    for (const name of names) {
      const asset = await page.get(name);
      expect(asset.status).toBe(200);
      bytes += Buffer.byteLength(asset.body);
      for (const [, more = ''] of asset.body.matchAll(/from ?["']\.\/([\w-]+\.js)["']/g))
        if (!names.includes(more)) names.push(more);
    }
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(40_000);
  });
});
