import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that a server of the rig got. */
interface Got {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

/** Answers a request in a way of its own, or leaves it (`false`) to the server's good behaviour. */
export type Mischief = (path: string, request: IncomingMessage, response: ServerResponse) => boolean | undefined;

interface Listening extends AsyncDisposable {
  readonly url: string;
  readonly got: readonly Got[];
}

/** A hub on the loopback address that serves one checkpoint, and the other host to which it redirects for large files. */
export interface RigHub extends AsyncDisposable {
  readonly url: string;
  readonly cdn: Listening;
  readonly got: readonly Got[];
}

export const COMMIT = '1234567890abcdef1234567890abcdef12345678';
const REPOSITORY = 'tiny/bert';

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const gitHash = (bytes: Uint8Array): string =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

const isLarge = (name: string): boolean => name.endsWith('.safetensors') || name.endsWith('.bin');

/** What the hub says of a file: sha256 of what is stored apart (LFS), git's own hash of the rest. */
export const siblingOf = (name: string, bytes: Uint8Array): Record<string, unknown> => ({
  rfilename: name,
  size: bytes.length,
  blobId: gitHash(bytes),
  ...(isLarge(name) ? { lfs: { sha256: sha256(bytes), size: bytes.length, pointerSize: 134 } } : {}),
});

const listen = async (
  handle: (path: string, request: IncomingMessage, response: ServerResponse) => void,
  wanted = 0,
) => {
  const got: Got[] = [];
  const server: Server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '');
    got.push({ path, headers: request.headers });
    response.on('error', () => undefined);
    handle(path, request, response);
  });
  await new Promise<void>((resolve) => server.listen(wanted, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}`, got, [Symbol.asyncDispose]: close };
};

/** Sends a file, or the range of it that is asked for if the version is still this one. */
export const sendFile = (request: IncomingMessage, response: ServerResponse, bytes: Uint8Array): void => {
  const etag = `"${sha256(bytes)}"`;
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const version = request.headers['if-range'];
  if (from === 0 || (version !== undefined && version !== etag)) {
    response.writeHead(200, { etag, 'content-length': bytes.length, 'accept-ranges': 'bytes' }).end(bytes);
    return;
  }
  const range = `bytes ${from}-${bytes.length - 1}/${bytes.length}`;
  response
    .writeHead(206, { etag, 'content-length': bytes.length - from, 'content-range': range })
    .end(bytes.subarray(from));
};

export interface HubOptions {
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** Changes what the list says. */
  readonly siblings?: readonly Record<string, unknown>[];
  readonly mischief?: Mischief;
  readonly cdnMischief?: Mischief;
  /** A port of its own, to come back at the same address. */
  readonly port?: number;
}

export const rigHub = async ({ files, siblings, mischief, cdnMischief, port }: HubOptions): Promise<RigHub> => {
  const fileIn = (path: string): [string, Uint8Array | undefined] => {
    const name = path.split(`/${COMMIT}/`)[1] ?? '';
    return [name, files[name]];
  };
  const missing = (response: ServerResponse, code: string): void =>
    void response.writeHead(404, { 'x-error-code': code }).end('{}');
  const cdn = await listen((path, request, response) => {
    const [, bytes] = fileIn(path);
    if (cdnMischief?.(path, request, response) === true) return;
    if (bytes === undefined) missing(response, 'EntryNotFound');
    else sendFile(request, response, bytes);
  });
  const list = siblings ?? Object.entries(files).map(([name, bytes]) => siblingOf(name, bytes));
  const hub = await listen((path, request, response) => {
    if (mischief?.(path, request, response) === true) return;
    if (path.startsWith(`/api/models/${REPOSITORY}/revision/`)) {
      const revision = path.slice(`/api/models/${REPOSITORY}/revision/`.length).replace('?blobs=true', '');
      if (!['main', 'v1/new', COMMIT].includes(revision)) missing(response, 'RevisionNotFound');
      else response.end(JSON.stringify({ id: REPOSITORY, sha: COMMIT, siblings: list }));
      return;
    }
    const [name, bytes] = fileIn(path);
    if (bytes === undefined) missing(response, path.startsWith('/api/') ? 'RepoNotFound' : 'EntryNotFound');
    else if (isLarge(name)) response.writeHead(302, { location: `${cdn.url}/signed/${COMMIT}/${name}` }).end();
    else sendFile(request, response, bytes);
  }, port);
  const close = async (): Promise<void> => {
    await hub[Symbol.asyncDispose]();
    await cdn[Symbol.asyncDispose]();
  };
  return { url: hub.url, got: hub.got, cdn, [Symbol.asyncDispose]: close };
};
