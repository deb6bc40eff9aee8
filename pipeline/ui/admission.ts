import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** What lets a browser in. Both are drawn at random for each start. */
export interface Secrets {
  /** Stands in the address that is printed, and then in a cookie. */
  readonly token: string;
  /**
   * The folder of all addresses but the first. Browsers send a cookie to every port of a machine: its path is one that no
   * other server knows, so that none gets the token to see.
   */
  readonly room: string;
}

/** What is answered in place of what was asked. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that may be answered: `path` is what stands behind the room; null for the first one, which brings the token. */
export interface Admitted {
  readonly path: string | null;
}

const COOKIE = 'decant';
const BYTES = 24;

export const drawSecrets = (): Secrets => ({
  token: randomBytes(BYTES).toString('hex'),
  room: randomBytes(BYTES).toString('hex'),
});

export const cookieOf = ({ token, room }: Secrets): string =>
  `${COOKIE}=${token}; Path=/${room}/; HttpOnly; SameSite=Strict`;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** In a time that says nothing about where they differ. */
const isSame = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b));

const cookiesIn = (header = ''): readonly string[] =>
  header.split(';').flatMap((part) => {
    const [name = '', value = ''] = part.trim().split('=');
    return name === COOKIE ? [value] : [];
  });

/** Names of this machine alone: another name that leads here is one that a stranger's site may have made do so. */
const hostsOf = (port: number): readonly string[] =>
  ['127.0.0.1', 'localhost'].flatMap((name) => [`${name}:${port}`, ...(port === 80 ? [name] : [])]);

const refuse = (status: number, message: string, headers: Refusal['headers'] = {}): Refusal => ({
  status,
  message,
  headers,
});

const METHODS = ['GET', 'POST'];

/** What is wrong with a request before anybody asks whose it is. */
const malformed = ({ url = '', method = '', rawHeaders }: IncomingMessage): Refusal | undefined => {
  const hosts = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host');
  if (hosts.length !== 1) return refuse(400, 'expected one Host');
  if (!METHODS.includes(method)) return refuse(405, 'expected GET or POST', { allow: METHODS.join(', ') });
  return url.startsWith('/') ? undefined : refuse(400, 'expected a path');
};

/** What browsers say of the page that a request comes from: only our own pages ask, and whoever sends something says who it is. */
const foreign = ({ headers, method }: IncomingMessage, hosts: readonly string[]): Refusal | undefined => {
  const { origin, 'sec-fetch-site': site = 'none' } = headers;
  const isOwn = origin !== undefined && hosts.some((host) => origin === `http://${host}`);
  if (origin === undefined ? method === 'POST' : !isOwn) return refuse(403, 'another origin');
  return site === 'none' || site === 'same-origin' ? undefined : refuse(403, 'another site');
};

/** Whether a request may be answered, and what it asks for. Nothing of it is answered before it is known to come from the user. */
export const admitted = (request: IncomingMessage, secrets: Secrets, port: number): Admitted | Refusal => {
  const wrong = malformed(request);
  if (wrong !== undefined) return wrong;
  const hosts = hostsOf(port);
  if (!hosts.includes(request.headers.host ?? '')) return refuse(403, 'another host');
  const { url = '', method, headers } = request;
  const [path = '', query = ''] = url.split('?', 2);
  if (path === '/' && method === 'GET') {
    return isSame(query, `token=${secrets.token}`) ? { path: null } : refuse(403, 'no token');
  }
  const from = foreign(request, hosts);
  if (from !== undefined) return from;
  const room = `/${secrets.room}/`;
  const isKnown = cookiesIn(headers.cookie).some((value) => isSame(value, secrets.token));
  if (!isKnown || !isSame(path.slice(0, room.length), room)) return refuse(403, 'no token');
  return query === '' ? { path: path.slice(room.length) } : refuse(404, 'no such page');
};
