import { spawn } from 'node:child_process';

/** Runs the built command and wants it to succeed. */
export const decant = async (args: readonly string[]): Promise<void> => {
  const bin = new URL('../bin/decant.js', import.meta.url).pathname;
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  const code = await new Promise<number | null>((done) => child.once('close', done));
  if (code !== 0) throw new Error(`decant ${args.join(' ')} ended with ${code}`);
};
