import { pathToFileURL } from 'node:url';
import { root } from '../build.ts';

/** A command line that a process of many is asked for. */
export interface Asked {
  readonly args: readonly string[];
  readonly cwd: string;
}

/** What came of it. */
export interface Answered {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly cpuSeconds: number;
}

type Main = (args: readonly string[]) => Promise<void>;

const processorSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** Keeps what is written instead of writing it; gives it all when asked. */
const kept = (stream: NodeJS.WriteStream): (() => string) => {
  const parts: string[] = [];
  Reflect.set(stream, 'write', (text: string | Uint8Array) => {
    parts.push(typeof text === 'string' ? text : Buffer.from(text).toString('utf8'));
    return true;
  });
  return () => parts.splice(0).join('');
};

/** The command line as it was compiled, one command after the other: starting Node for each would take most of the time. */
const { main }: { main: Main } = await import(pathToFileURL(`${root}dist/pipeline/cli.js`).href);
const [stdout, stderr] = [kept(process.stdout), kept(process.stderr)];

const answer = async ({ args, cwd }: Asked): Promise<Answered> => {
  process.chdir(cwd);
  process.exitCode = 0;
  const started = processorSeconds();
  await main(args);
  const code = Number(process.exitCode ?? 0);
  process.exitCode = 0;
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error');
  return { code, stdout: stdout(), stderr: stderr(), cpuSeconds: processorSeconds() - started };
};

process.on('message', (asked: Asked) => void answer(asked).then((answered) => process.send?.(answered)));
process.on('disconnect', () => process.exit());
process.send?.('ready');
