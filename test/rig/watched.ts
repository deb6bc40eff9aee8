import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import { root } from './build.ts';
import type { Workspace } from './workspace.ts';

/** Calls that open a socket, or may make a file or folder. Some machines lack the older ones. */
const CALLS = 'trace=socket,connect,sendto,openat,mkdirat,?open,?creat,?mkdir';

const attempts = [
  ['-f', '-qq', '--seccomp-bpf'],
  ['-f', '-qq'],
] as const;

/** How strace is called here; undefined where it is missing or may not trace. */
const strace = attempts.find((args) => {
  const { status } = spawnSync('strace', [...args, '-o', '/dev/null', '-e', CALLS, process.execPath, '--version']);
  return status === 0;
});

/** What the title of a test adds where only files can be looked at. */
export const watchedTitle = strace === undefined ? ' (files alone: strace does not run here)' : '';
export const seesCalls = strace !== undefined;

/** What a process and its children did outside of the folder that it works in. */
export interface Watched {
  readonly code: number | null;
  readonly output: string;
  /** Files that lie in what it takes for the user's home and temporary folder when it has ended. */
  readonly left: readonly string[];
  /** Calls for a socket of another kind than a local one. */
  readonly sockets: readonly string[];
  /** Files and folders made elsewhere, or tried to. */
  readonly elsewhere: readonly string[];
}

const variables = ['HOME', 'USERPROFILE', 'APPDATA', 'LOCALAPPDATA', 'XDG_RUNTIME_DIR'];
const below = {
  XDG_CACHE_HOME: '.cache',
  XDG_CONFIG_HOME: '.config',
  XDG_DATA_HOME: '.data',
  XDG_STATE_HOME: '.state',
};

/** An environment of nothing but an empty home with a temporary folder: no CI, and nothing that a user set. */
const environmentIn = (home: string): Record<string, string> => ({
  PATH: process.env.PATH ?? '',
  ...Object.fromEntries(variables.map((name) => [name, home])),
  ...Object.fromEntries(Object.entries(below).map(([name, folder]) => [name, resolve(home, folder)])),
  ...Object.fromEntries(['TMPDIR', 'TMP', 'TEMP'].map((name) => [name, resolve(home, 'tmp')])),
});

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => relative(folder, resolve(entry.parentPath, entry.name)))
    .filter((path) => path !== 'tmp');

const isSocket = (line: string): boolean => /\b(?:socket\(|sa_family=)(?!AF_UNIX|AF_LOCAL|AF_UNSPEC)/.test(line);

/** The path of a call that makes a file or a folder; what exists already counts too. */
const madeBy = (line: string): string | undefined => {
  const [, call = '', path] = /\b(open|openat|creat|mkdir|mkdirat)\([^"]*"([^"]*)"/.exec(line) ?? [];
  return call.startsWith('open') && !line.includes('O_CREAT') ? undefined : path;
};

/** Runs decant's command line, or another script of Node, with an empty home in `space` and looks at all that it does. */
export const watched = (
  space: Workspace,
  args: readonly string[],
  { script = `${root}bin/decant.js`, env = {} }: { script?: string; env?: Readonly<Record<string, string>> } = {},
): Watched => {
  const [home, work, trace] = [space.path('home'), space.path('work'), space.path('trace')];
  for (const folder of [`${home}/tmp`, work]) mkdirSync(folder, { recursive: true });
  const command = [process.execPath, script, ...args];
  const tracing = strace === undefined ? [] : ['strace', ...strace, '-s', '4096', '-o', trace, '-e', CALLS];
  const [program = '', ...rest] = [...tracing, ...command];
  const options = { cwd: work, env: { ...environmentIn(home), ...env }, encoding: 'utf8' } as const;
  const { status, stdout, stderr } = spawnSync(program, rest, options);
  const lines = strace === undefined ? [] : readFileSync(trace, 'utf8').split('\n');
  const inside = (path: string): boolean =>
    [home, work, '/dev', '/proc'].some((folder) => `${path}${sep}`.startsWith(`${folder}${sep}`));
  const made = lines.map(madeBy).flatMap((path) => (path === undefined ? [] : [resolve(work, path)]));
  return {
    code: status,
    output: `${stdout}${stderr}`,
    left: filesBelow(home),
    sockets: lines.filter(isSocket),
    elsewhere: [...new Set(made.filter((path) => !inside(path)))],
  };
};
