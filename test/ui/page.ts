import { request } from 'node:http';
import { connect } from 'node:net';
import { openUi } from '../../dist/pipeline/api/index.js';

export interface Said {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** One request as it is, with nothing added but what Node must. */
export const askPort = (
  port: number,
  path: string,
  { method = 'GET', headers = {}, body }: Asking = {},
): Promise<Said> =>
  new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      let said = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: said }));
    });
    sent.on('error', reject);
    sent.end(body);
  });

/** Bytes that no client would send, and all that comes back until the other side closes. */
export const sendRaw = (port: number, text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let said = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.setEncoding('utf8').on('data', (piece: string) => {
      said += piece;
    });
    socket.on('close', () => resolve(said));
    socket.on('error', reject);
  });

/** A page that is served, and how its own script asks. */
export interface OpenPage {
  readonly address: string;
  readonly port: number;
  readonly token: string;
  /** The path of everything but the first page. */
  readonly room: string;
  readonly cookie: string;
  get(path: string): Promise<Said>;
  post(path: string, value: unknown): Promise<Said>;
  close(): Promise<void>;
}

export const openPage = async (folder: string): Promise<OpenPage> => {
  const { address, close } = await openUi(folder);
  const { port: text, searchParams } = new URL(address);
  const [port, token] = [Number(text), searchParams.get('token') ?? ''];
  const first = await askPort(port, `/?token=${token}`);
  const [, room = ''] = /url=(\/[0-9a-f]+\/)"/.exec(first.body) ?? [];
  const [cookie = ''] = `${first.headers['set-cookie']}`.split(';');
  const origin = `http://127.0.0.1:${port}`;
  return {
    ...{ address, port, token, room, cookie, close },
    get: (path) => askPort(port, `${room}${path}`, { headers: { cookie, 'sec-fetch-site': 'same-origin' } }),
    post: (path, value) =>
      askPort(port, `${room}${path}`, {
        method: 'POST',
        headers: { cookie, origin, 'content-type': 'application/json' },
        body: JSON.stringify(value),
      }),
  };
};
