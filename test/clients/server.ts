import { type ChildProcess, spawn } from 'node:child_process';
import { root } from '../rig/build.ts';

export interface Served {
  /** http://127.0.0.1:PORT/ */
  readonly url: string;
  readonly process: ChildProcess;
}

/** The server of examples/browser at a free port, for the exported models of a folder. */
export const serve = (folder: string): Promise<Served> => {
  const process_ = spawn(process.execPath, [`${root}examples/browser/serve.mjs`, folder, '0'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Promise((resolve, reject) => {
    let said = '';
    process_.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes('\n')) resolve({ url: text.trim(), process: process_ });
    });
    process_.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    process_.on('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
  });
};
