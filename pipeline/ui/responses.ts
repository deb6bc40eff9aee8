import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Refusal } from './admission.ts';

const everywhere = {
  'cache-control': 'no-store',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

const nobody = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** What a page may load: own files alone; of a report nothing but its style, in an origin that is none. */
const policies = {
  own: `default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; ${nobody}`,
  report: `default-src 'none'; style-src 'unsafe-inline'; img-src data:; ${nobody}; sandbox`,
} as const;

const types = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json; charset=utf-8',
  text: 'text/plain; charset=utf-8',
  events: 'text/event-stream; charset=utf-8',
} as const;

export interface Answer {
  readonly status?: number;
  readonly type: keyof typeof types;
  readonly body: string;
  readonly policy?: keyof typeof policies;
  readonly headers?: Readonly<Record<string, string>>;
}

export const jsonAnswer = (value: unknown): Answer => ({ type: 'json', body: JSON.stringify(value) });

export const headersFor = ({ type, policy = 'own', headers = {} }: Omit<Answer, 'body'>): Record<string, string> => ({
  ...everywhere,
  'content-type': types[type],
  'content-security-policy': policies[policy],
  ...headers,
});

export const send = (response: ServerResponse, answer: Answer): void => {
  const { status = 200, body } = answer;
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, headersFor(answer)).end(body);
};

/** What a refused request still sends is thrown away. */
export const refuseWith = (response: ServerResponse, { status, message, headers = {} }: Refusal): void =>
  send(response, { status, type: 'text', body: `${message}\n`, headers });

/** A question is a text or two. */
const LONGEST_BODY = 64 * 1024;

const tooLong: Refusal = { status: 413, message: `expected at most ${LONGEST_BODY} bytes` };

const bytesOf = async (request: IncomingMessage): Promise<Buffer | Refusal> => {
  if (Number(request.headers['content-length'] ?? 0) > LONGEST_BODY) return tooLong;
  const pieces: Buffer[] = [];
  let size = 0;
  // Whoever sends too much still gets an answer.
  for await (const piece of request.iterator({ destroyOnReturn: false })) {
    if (!Buffer.isBuffer(piece)) continue;
    size += piece.length;
    if (size > LONGEST_BODY) return tooLong;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
};

const isRefusal = (body: Buffer | Refusal): body is Refusal => 'status' in body;

/** The JSON that was sent, as what browsers send only where the server lets them. */
export const jsonIn = async (request: IncomingMessage): Promise<{ readonly value: unknown } | Refusal> => {
  if (!/^application\/json\s*(?:;|$)/i.test(request.headers['content-type'] ?? '')) {
    return { status: 415, message: 'expected application/json' };
  }
  const body = await bytesOf(request);
  if (isRefusal(body)) return body;
  try {
    return { value: JSON.parse(body.toString('utf8')) };
  } catch {
    return { status: 400, message: 'expected JSON' };
  }
};
