import { stageError } from '../../ground/errors.ts';
import { isSafe } from './endpoint.ts';
import { type Hub, PassingError } from './hub.ts';

const MOST_REDIRECTS = 5;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

type Headers = Readonly<Record<string, string>>;

const codeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return '';
  const { cause } = error;
  if (cause instanceof Error) return codeOf(cause);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
};

/** Failures that no further attempt mends, and what does. */
const lasting = (code: string): string | undefined => {
  if (code === 'ENOTFOUND') return 'its name is not known: check the network and HF_ENDPOINT';
  if (/CERT|ERR_TLS|UNABLE_TO_|SELF_SIGNED/.test(code)) {
    return 'its certificate is not trusted: where a proxy of your network signs, name its certificate in NODE_EXTRA_CA_CERTS';
  }
  return undefined;
};

/** A failed connection as an error that says whether it may pass. */
const connectionError = (error: unknown, host: string): Error => {
  const found = codeOf(error);
  const code = found === 'UND_ERR_SOCKET' ? 'it was cut' : found;
  const advice = lasting(code);
  if (advice !== undefined) return stageError(`${host} cannot be reached (${code}): ${advice}`);
  return new PassingError(`the connection to ${host} failed (${code})`);
};

const parse = (location: string, from: URL): URL => {
  if (URL.canParse(location, from.href)) return new URL(location, from);
  throw stageError(`${from.host} redirects to an address that is none`);
};

/** Where a redirect leads, if it may be followed: never from encrypted to open, never with a password in the address. */
const nextUrl = (location: string, from: URL): URL => {
  const url = parse(location, from);
  const opened = from.protocol === 'https:' && url.protocol !== 'https:';
  if (!opened && isSafe(url) && url.username === '' && url.password === '') return url;
  throw stageError(`${from.host} redirects to ${url.protocol}//${url.host}; only https addresses are followed`);
};

/** Ends a request when nothing was heard for a while, or when the run is interrupted. */
interface Watch {
  readonly signal: AbortSignal;
  heard(): void;
  end(): void;
}

const watch = ({ signal, patience: { stallMs } }: Hub): Watch => {
  const controller = new AbortController();
  const stalled = (): void => controller.abort(new Error(`nothing arrived for ${Math.round(stallMs / 1000)} s`));
  const stop = (): void => controller.abort(signal.reason);
  let timer = setTimeout(stalled, stallMs);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const heard = (): void => {
    clearTimeout(timer);
    timer = setTimeout(stalled, stallMs);
  };
  const end = (): void => {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  };
  return { signal: controller.signal, heard, end };
};

/** One request, without following redirects. */
const ask = async (url: URL, headers: Headers, { signal }: Watch): Promise<Response> => {
  try {
    return await fetch(url, { headers, redirect: 'manual', signal });
  } catch (error) {
    throw connectionError(error, url.host);
  }
};

const redirectOf = ({ status, headers }: Response): string | undefined =>
  redirects.has(status) ? (headers.get('location') ?? undefined) : undefined;

/** Follows redirects by hand, so that the token goes to the hub's own host and stays behind once the way leaves it. */
const follow = async (hub: Hub, start: URL, headers: Headers, watched: Watch): Promise<Response> => {
  const { origin } = new URL(hub.endpoint);
  let url = start;
  let inside = true;
  for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
    inside &&= url.origin === origin;
    const authorization: Headers = inside && hub.token !== undefined ? { authorization: `Bearer ${hub.token}` } : {};
    // Compressed answers would have neither the announced size nor ranges of it.
    const all = { 'accept-encoding': 'identity', 'user-agent': 'decant', ...headers, ...authorization };
    const response = await ask(url, all, watched);
    watched.heard();
    const location = redirectOf(response);
    if (location === undefined) return response;
    await response.body?.cancel();
    url = nextUrl(location, url);
  }
  throw stageError(`${start.host} redirects more than ${MOST_REDIRECTS} times`);
};

/** The pieces of a body as they arrive. Leaving the loop closes the connection. */
async function* piecesOf(response: Response, watched: Watch): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  const reader = response.body.getReader();
  const { host } = new URL(response.url);
  try {
    for (;;) {
      const { done, value } = await reader
        .read()
        .catch((error: unknown) => Promise.reject(connectionError(error, host)));
      if (done) return;
      watched.heard();
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Response['headers'];
  /** The host that answered at the end of all redirects; the hub's own or another. */
  readonly host: string;
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** Gets a path of the hub and lets `use` read the answer; the connection is closed after it. */
export const get = async <T>(
  hub: Hub,
  path: string,
  headers: Headers,
  use: (answer: Answer) => Promise<T>,
): Promise<T> => {
  const watched = watch(hub);
  let response: Response | undefined;
  try {
    response = await follow(hub, new URL(`${hub.endpoint}${path}`), headers, watched);
    const { status, url } = response;
    return await use({
      status,
      headers: response.headers,
      host: new URL(url).host,
      pieces: piecesOf(response, watched),
    });
  } finally {
    watched.end();
    if (response?.body?.locked === false) await response.body.cancel().catch(() => undefined);
  }
};
