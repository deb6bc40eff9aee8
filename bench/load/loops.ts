import { type ChildProcess, spawn } from 'node:child_process';

/** Work that takes a core and ends with this process: a parent that is gone closes its input. */
const LOOP =
  'process.stdin.on("end", () => process.exit()).resume(); setInterval(() => { const end = Date.now() + 200; while (Date.now() < end); }, 0)';

/** Does something while so many processes work all the time. They are ended whatever happens. */
export const besideLoops = async <T>(count: number, work: () => Promise<T>): Promise<T> => {
  const loops: ChildProcess[] = [];
  try {
    for (let i = 0; i < count; i++) {
      loops.push(spawn(process.execPath, ['-e', LOOP], { stdio: ['pipe', 'ignore', 'inherit'] }));
    }
    return await work();
  } finally {
    for (const loop of loops) loop.kill('SIGKILL');
  }
};
