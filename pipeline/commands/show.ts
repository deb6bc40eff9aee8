import { spawn } from 'node:child_process';
import { messageOf } from '../../ground/errors.ts';
import { requestError } from '../diagnostic.ts';

/** The command that shows a file or an address: BROWSER where it is set, else the system's own. */
const opener = (file: string): readonly [string, readonly string[]] => {
  const { BROWSER: browser } = process.env;
  if (browser !== undefined && browser !== '') return [browser, [file]];
  if (process.platform === 'darwin') return ['open', [file]];
  return process.platform === 'win32' ? ['explorer', [file]] : ['xdg-open', [file]];
};

/** Shows a file or an address without waiting for its window to close. */
export const show = async (file: string): Promise<void> => {
  const [command, args] = opener(file);
  const child = spawn(command, args, { detached: true, stdio: 'ignore' });
  await new Promise<void>((done, fail) => {
    child.once('spawn', done);
    child.once('error', (error) =>
      fail(requestError(`${command} does not start (${messageOf(error)}): open ${file} yourself, or set BROWSER`)),
    );
  });
  child.unref();
};
