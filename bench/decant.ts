import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';

const bin = new URL('../bin/decant.js', import.meta.url).pathname;

/** Runs the built command and wants it to succeed. */
export const decant = async (args: readonly string[]): Promise<void> => {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  const code = await new Promise<number | null>((done) => child.once('close', done));
  if (code !== 0) throw new Error(`decant ${args.join(' ')} ended with ${code}`);
};

/** The document that the built command prints, which is of this type. */
export const decantJson = async <T>(args: readonly string[]): Promise<T> => {
  const { stdout } = await promisify(execFile)(process.execPath, [bin, ...args], { maxBuffer: 1 << 28 });
  return JSON.parse(stdout);
};
