// Serves this page, a folder of exported models and node_modules, to this machine alone: node serve.mjs FOLDER [PORT]
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { extname, join, posix, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const [folder, port = '8080'] = process.argv.slice(2);
const fail = (message) => {
  console.error(message);
  process.exit(2);
};
if (folder === undefined || !existsSync(folder)) {
  fail(
    `usage: node serve.mjs FOLDER [PORT]: FOLDER holds exported models, such as runs/NAME; found ${folder ?? 'none'}`,
  );
}
if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) fail(`expected a port from 0 to 65535; found ${port}`);
const above = [join(process.cwd(), 'node_modules'), ...(createRequire(import.meta.url).resolve.paths('x') ?? [])];
const modules = above.find((path) => existsSync(join(path, '@huggingface/transformers')));
if (modules === undefined) fail('@huggingface/transformers is not installed: npm install @huggingface/transformers');

const roots = {
  '/models/': resolve(folder),
  '/node_modules/': modules,
  '/': resolve(fileURLToPath(new URL('.', import.meta.url))),
};
const types = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** The file behind a URL's path, which never leads out of its root. */
const fileOf = (url) => {
  const path = posix.normalize(decodeURIComponent(new URL(url, 'http://localhost').pathname));
  const [prefix, root] = Object.entries(roots).find(([start]) => path.startsWith(start)) ?? [];
  const file = prefix === undefined ? '' : join(root, path === '/' ? 'index.html' : path.slice(prefix.length));
  return file.startsWith(root + sep) && statSync(file).isFile() ? file : undefined;
};

const answer = ({ url, method }, response) => {
  let file;
  try {
    file = fileOf(url);
  } catch {
    file = undefined;
  }
  if (file === undefined) return response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
  response.writeHead(200, {
    'content-type': types[extname(file)] ?? 'application/octet-stream',
    'content-length': statSync(file).size,
    'cache-control': 'no-cache',
  });
  if (method === 'HEAD') return response.end();
  // A file that goes away while it is sent ends this answer and nothing else.
  return createReadStream(file)
    .on('error', () => response.destroy())
    .pipe(response);
};

const server = createServer(answer);
server.on('error', (error) => fail(`port ${port} cannot be used (${error.message}): name another behind the folder`));
server.listen(Number(port), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`));
