import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemCode } from '../../ground/errors.ts';
import type { Ui } from '../api/types/pipelines.ts';
import { requestError } from '../diagnostic.ts';
import { admitted, cookieOf, drawSecrets, type Secrets } from './admission.ts';
import { loadAssets } from './assets.ts';
import { entryMarkup } from './document.ts';
import { refuseWith, send } from './responses.ts';
import { answer, type Site } from './routes.ts';
import { Runs } from './runs.ts';
import { turns } from './turns.ts';

/** This machine alone. */
const HOST = '127.0.0.1';
const MOST_CONNECTIONS = 64;

/** Short for whoever holds a connection without asking; answers may take as long as they take. */
const limits = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 2000,
};

const listen = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const code = systemCode(error);
      const why =
        code === 'EADDRINUSE' ? 'is in use' : code === 'EACCES' ? 'may not be used' : `cannot be used (${code})`;
      reject(requestError(`port ${port} ${why}; name another with --port, or leave it out for any that is free`));
    });
    server.listen(port, HOST, () => {
      const { port: given } = server.address() as AddressInfo;
      resolve(given);
    });
  });

/** The first request brings the token; the page of its answer goes on by itself, so that the next one is known to be our own. */
const enter = (response: ServerResponse, secrets: Secrets): void =>
  send(response, {
    type: 'html',
    body: entryMarkup(`/${secrets.room}/`),
    headers: { 'set-cookie': cookieOf(secrets) },
  });

/** Serves the page of a folder of runs to this machine until it is closed. Nothing is written, and nothing is run unasked. */
export const serve = async (folder: string, port: number): Promise<Ui> => {
  const [secrets, runs, streams] = [drawSecrets(), new Runs(folder), new Set<ServerResponse>()];
  const site: Site = { runs, streams, assets: await loadAssets(folder), asking: turns(), rendering: turns() };
  let given = port;
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const asked = admitted(request, secrets, given);
    if ('status' in asked) refuseWith(response, asked);
    else if (asked.path === null) enter(response, secrets);
    else void answer(site, request, response, asked.path);
  };
  const server = createServer(limits, onRequest);
  server.maxConnections = MOST_CONNECTIONS;
  given = await listen(server, port);
  // The list is read while the browser starts.
  void runs.rows();
  return {
    address: `http://${HOST}:${given}/?token=${secrets.token}`,
    close: () => close(server, runs),
  };
};

const close = (server: Server, runs: Runs): Promise<void> => {
  runs.close();
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
};
