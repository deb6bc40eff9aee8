import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** What each room may import, besides itself. ARCHITECTURE.md explains the order. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  ground: [],
  graph: ['ground'],
  data: ['ground'],
  models: ['data', 'graph', 'ground'],
  engine: ['models', 'data', 'graph', 'ground'],
  stages: ['engine', 'models', 'data', 'graph', 'ground'],
  reports: ['data', 'graph', 'ground'],
  pipeline: ['stages', 'reports', 'engine', 'models', 'data', 'graph', 'ground'],
};

const sources = (room: string): string[] =>
  readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(room, file));

const importsOf = (file: string): string[] => {
  const text = readFileSync(join(root, file), 'utf8');
  const found = text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g);
  return [...found].map(([, path]) => relative(root, resolve(root, dirname(file), path ?? '')));
};

const violations = (room: string, file: string, imports: readonly string[]): string[] =>
  imports.flatMap((path) => {
    const target = path.split('/')[0] ?? '';
    const fine = target === room || allowed[room]?.includes(target);
    return fine ? [] : [`${file} imports ${path}`];
  });

describe('imports point one way', () => {
  it.each(Object.keys(allowed))('in %s', (room) => {
    const files = sources(room);
    expect(files.length).toBeGreaterThan(0);
    expect(files.flatMap((file) => violations(room, file, importsOf(file)))).toEqual([]);
  });

  it('and the check notices an import against the direction', () => {
    expect(violations('graph', 'graph/x.ts', ['models/model.ts'])).toEqual(['graph/x.ts imports models/model.ts']);
  });
});

/** What the command line is made of beside the API: what people see, what watches its processes, how it reads lines and writes a file. */
const ofCommands = [
  /^(?:pipeline\/store\/atomic|data\/datasets\/text-blocks)\.ts$/,
  /^pipeline\/(?:commands|view|guard)\//,
  /^pipeline\/(?:api\/index|diagnostic|explain|first\/options|version)\.ts$/,
];

const behindApi = (imports: readonly string[]): readonly string[] =>
  imports.filter((path) => !/^(?:reports|ground)\//.test(path) && !ofCommands.some((allowed) => allowed.test(path)));

describe('the command line', () => {
  const commands = sources('pipeline/commands');

  it('does with the API what it does, as every other program', () => {
    expect(commands.length).toBeGreaterThan(10);
    expect(commands.flatMap((file) => behindApi(importsOf(file)).map((path) => `${file} imports ${path}`))).toEqual([]);
  });

  it('and the check notices what goes behind it', () => {
    const paths = ['pipeline/api/index.ts', 'pipeline/execute/run.ts', 'engine/predict.ts', 'reports/text.ts'];
    expect(behindApi(paths)).toEqual(['pipeline/execute/run.ts', 'engine/predict.ts']);
  });
});

/** Rooms of our own, tests, tools and examples: everything that Node runs here. */
const everywhere = [...Object.keys(allowed), 'test', 'bench', 'docs', 'bin', 'examples'];

const scriptsIn = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.[cm]?[jt]s$/.test(file))
    .map((file) => join(folder, file));

/** Its package.json alone loads nothing. */
const loadsRuntime = (text: string): boolean =>
  /\b(?:from|import|require)\s*\(?\s*['"`]onnxruntime-(?:node|web|common)(?!\/package\.json)/.test(text);

describe('the telemetry of ONNX Runtime is off because', () => {
  it('one module alone loads the library, after the switch', () => {
    const self = join('test', 'repository', 'imports.test.ts');
    const files = everywhere.flatMap(scriptsIn).filter((file) => file !== self);
    const native = join('engine', 'engines', 'onnxruntime', 'native.ts');
    expect(files.filter((file) => loadsRuntime(readFileSync(join(root, file), 'utf8')))).toEqual([native]);
    const [first] = readFileSync(join(root, native), 'utf8').split('\n');
    expect(first).toBe("import './telemetry.ts';");
  });

  it('and tests that load it through transformers.js have it switched off for all', () => {
    expect(process.env.ORT_DISABLE_TELEMETRY).toBe('1');
    expect(isMainThread).toBe(true);
  });

  it.each(["from 'onnxruntime-node'", 'import("onnxruntime-web")', "require('onnxruntime-node/dist/index.js')"])(
    'and the check notices %s',
    (text) => expect(loadsRuntime(text)).toBe(true),
  );
});
