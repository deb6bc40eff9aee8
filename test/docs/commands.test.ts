import { type ChildProcess, spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from '../rig/build.ts';
import { decant } from '../rig/cli.ts';
import { smallScale } from '../rig/small-scale.ts';
import { workspace } from '../rig/workspace.ts';

const documents = ['README.md', 'docs/guide.md'];

/** Commands that no test can run, and the line of continuous integration that does. */
const elsewhere: Readonly<Record<string, string>> = {
  'npm ci': "check 'npm ci' quietly npm ci",
  'npm test': 'npm test --ignore-scripts -- --reporter=default',
};

/** Commands that go on until Ctrl-C, which has to end them well: it comes when they have said something. */
const endless: ReadonlySet<string> = new Set(['ui']);

interface Documented {
  readonly document: string;
  readonly command: string;
  /** Commands that stand together run in one folder. */
  readonly block: string;
}

const withoutComment = (line: string): string => line.replace(/\s+#.*$/, '').trim();

const commandsIn = (text: string): readonly string[] =>
  text
    .split('\n')
    .flatMap((line) => withoutComment(line).split(' && '))
    .filter((command) => /^(npx|npm|decant)\b/.test(command));

/** Indented and fenced blocks, and commands inside of sentences. */
const blocksOf = (text: string): readonly string[] => {
  const indented = text.match(/(?:^ {4,}\S.*\n?)+/gm) ?? [];
  const fenced = [...text.matchAll(/^```\w*\n(.*?)^```/gms)].map(([, block]) => block ?? '');
  const inline = [...text.matchAll(/`((?:npx )?decant [^`]+)`/g)].map(([, command]) => command ?? '');
  return [...indented, ...fenced, ...inline.filter((command) => command.startsWith('npx '))];
};

const documented = (document: string, text: string): readonly Documented[] =>
  blocksOf(text).flatMap((block) => commandsIn(block).map((command) => ({ document, command, block })));

const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const all = documents.flatMap((document) => documented(document, read(document)));

const wordsOf = (command: string): readonly string[] =>
  [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');

/** One store for all folders: what documents have in common runs once. */
const extras = (command: string, file: string): readonly string[] => {
  if (command === 'validate') return smallScale(file, 300);
  if (command === 'clean') return ['--store', space.path('store')];
  return command === 'run' || command === 'plan' ? [...smallScale(file, 300), '--store', space.path('store')] : [];
};

const space = workspace();
afterAll(() => space[Symbol.dispose]());
for (const name of ['pipeline.yaml', 'examples']) cpSync(join(root, name), space.path(name), { recursive: true });
cpSync(join(root, 'examples/verbs.csv'), space.path('own/reviews.csv'));
space.write('gates.yaml', read('docs/guide.md').match(/^ {4}int8:\n(?: {6}.*\n)+/m)?.[0] ?? '');
symlinkSync(join(root, 'node_modules'), space.path('node_modules'));

/** What the reader's own file is called in the README; it is in a folder of its own. */
const folderFor = ({ block }: Documented): string => (block.includes('reviews.csv') ? space.path('own') : space.folder);

const runDocumented = async (one: Documented): Promise<void> => {
  const [command = '', ...rest] = wordsOf(one.command.replace(/^(npx )?decant /, ''));
  const cwd = folderFor(one);
  const file = rest.find((word) => word.endsWith('.yaml')) ?? 'pipeline.yaml';
  const onText = endless.has(command)
    ? (_: string, child: ChildProcess) => void (child.killed || child.kill('SIGINT'))
    : () => undefined;
  const args = [command, ...rest, ...extras(command, join(cwd, file))];
  const { code, stdout, stderr } = await decant(args, { cwd, onText });
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).not.toBe('');
};

describe('every documented command', () => {
  const runnable = all.filter(({ command }) => elsewhere[command] === undefined);

  it('is found', () => {
    expect(runnable.length).toBeGreaterThan(20);
    expect(new Set(runnable.map(({ command }) => command.split(' ')[2]))).toEqual(
      new Set([
        'run',
        'report',
        'diff',
        'compare',
        'schema',
        'validate',
        'plan',
        'predict',
        'inspect',
        'estimate',
        'init',
        'export',
        'runs',
        'ui',
        'clean',
        'engines',
        'benchmark',
        'doctor',
        'prune',
        'quantize',
        'optimize',
      ]),
    );
  });

  it('is run by continuous integration where a test cannot', () => {
    const used = Object.entries(elsewhere).filter(([command]) => all.some((one) => one.command === command));
    expect(used).toEqual(Object.entries(elsewhere));
    for (const [, line] of used) expect(read('.ci/run')).toContain(line);
  });

  it.each(runnable)('works: $command ($document)', (one) => runDocumented(one));

  it('fails this test when it does not work', async () => {
    const [wrong] = documented('a test', '    npx decant predict no-such-folder "a text"  # says why\n');
    await expect(wrong === undefined ? undefined : runDocumented(wrong)).rejects.toMatchObject({
      actual: { code: 2, stderr: expect.stringContaining('no-such-folder: no such folder') },
    });
  });
});

describe('the guide', () => {
  it('loads the deploy folder in transformers.js as it says', () => {
    const snippet = read('docs/guide.md')
      .match(/(?:^ {4}.*\n)+/gm)
      ?.find((block) => block.includes('await pipeline'));
    const script = space.write('snippet.mjs', snippet ?? '');
    const { status, stdout, stderr } = spawnSync(process.execPath, [script], { cwd: space.folder, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/label: 'noun\.\w+'/);
  });

  it('links to what exists', () => {
    for (const document of [
      ...documents,
      'docs/statistics.md',
      'docs/reference.md',
      'examples/README.md',
      'examples/browser/README.md',
    ]) {
      const targets = [...read(document).matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)].map(([, target]) => target ?? '');
      expect(targets.filter((target) => !existsSync(join(root, document, '..', target)))).toEqual([]);
    }
  });
});
