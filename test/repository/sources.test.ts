import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { datasets } from '../../data/datasets/index.ts';
import { datasetTasks } from '../../ground/tasks.ts';
import { stages } from '../../stages/index.ts';

const root = resolve(import.meta.dirname, '../..');
const rooms = ['pipeline', 'stages', 'models', 'graph', 'engine', 'data', 'reports', 'ground'];
const longestFile = 300;
const longestFunction = 50;
/** The table of tasks, and the files in which the tasks that there are do their work. */
const mostFilesThatNameTasks = 7;
/** The name of a metric, what earlier versions called every score, and two sentences about it. */
const mostLiterals = 4;

const read = (file: string): string => readFileSync(join(root, file), 'utf8');

const filesIn = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file));

const sources = rooms.flatMap(filesIn);

/** Ways around the compiler and the linter, and marks of what is not finished. */
const refused: Readonly<Record<string, RegExp>> = {
  'a double cast': /\bas unknown as\b/,
  'the type any': /(?:[:<|(]\s*|\bas )any\b(?!\w)(?=\s*[;,)>=[\]|&])/,
  'a silenced compiler': /@ts-(?:ignore|expect-error|nocheck)/,
  'a silenced linter': /biome-ignore|eslint-disable/,
  'unfinished work': /\b(?:TODO|FIXME|XXX)\b/,
};

const findings = (file: string, text: string): readonly string[] =>
  Object.entries(refused).flatMap(([what, pattern]) => (pattern.test(text) ? [`${file} has ${what}`] : []));

const beginsFunction =
  /^( {0,2})(?:export )?(?:(?:async )?function\b|const \w+ = (?:async )?[(<]|(?:private |static |async )*#?\w+\()/;
const isStatement = /^ +(?:if|for|while|switch|return|throw|super|await)\b/;

/** Lines from where a function with a body begins, at the top or in a class, to the brace that closes it. */
const functionsIn = (file: string): readonly { readonly at: string; readonly lines: number }[] => {
  const lines = read(file).split('\n');
  return lines.flatMap((line, at) => {
    const [, indent] = beginsFunction.exec(line) ?? [];
    if (indent === undefined || isStatement.test(line)) return [];
    const opens = lines.findIndex(
      (other, i) => i >= at && /(?:[{;,]|=>)$/.test(other) && !/^ {2,}\w+\??: .*[,;]$/.test(other),
    );
    if (!/(?:=>|\)(?:: .*)?) \{$/.test(lines[opens] ?? '')) return [];
    const closes = lines.findIndex((other, i) => i > opens && other.startsWith(`${indent}}`));
    return closes < 0 ? [] : [{ at: `${file}:${at + 1}`, lines: closes - at + 1 }];
  });
};

/** Assembled here, since this file is looked at, too. */
const guilty = ['const a = b as', 'unknown as C; const d:', 'any = 1; //', 'TO', 'DO']
  .join(' ')
  .replace('TO DO', 'TODO');

describe('sources', () => {
  it('find no way around the compiler', () => {
    const tested = [...sources, ...filesIn('test'), ...filesIn('bench'), ...filesIn('docs')];
    const self = join('test', 'repository', 'sources.test.ts');
    expect(tested.filter((file) => file !== self).flatMap((file) => findings(file, read(file)))).toEqual([]);
  });

  it('would be caught trying', () => {
    expect(findings('x.ts', guilty)).toEqual([
      'x.ts has a double cast',
      'x.ts has the type any',
      'x.ts has unfinished work',
    ]);
  });

  it('know two kinds of errors: those of the user, which share one class, and bugs', () => {
    const own = sources.filter((file) => /class \w+ extends (?:\w*Error)\b/.test(read(file)));
    expect(own.sort()).toEqual([
      join('ground', 'errors.ts'),
      // Of the user's class: what a run leaves behind is more than facts.
      join('pipeline', 'api', 'run-error.ts'),
      // A failure of the network that may pass never reaches the user: another error says what to do.
      join('stages', 'download', 'hub.ts'),
    ]);
  });

  it('are functions that one sees at once', () => {
    const all = sources.flatMap(functionsIn);
    expect(all.length).toBeGreaterThan(1000);
    expect(all.filter(({ lines }) => lines > longestFunction)).toEqual([]);
  });

  it('name a task in the table of tasks and in its own file alone', () => {
    const names = new RegExp(`'(?:${datasetTasks.join('|')})'`);
    const naming = sources.filter((file) => names.test(read(file)));
    expect(naming).toContain(join('ground', 'tasks.ts'));
    expect(naming.length, naming.join(', ')).toBeLessThanOrEqual(mostFilesThatNameTasks);
  });

  it('know accuracy as the name of one metric, and as no field', () => {
    const literals = sources.flatMap((file) =>
      [...read(file).matchAll(/'accuracy'|\.accuracy\b|\baccuracy\??:/g)].map(([text]) => `${file}: ${text}`),
    );
    expect(literals.length, literals.join(', ')).toBeLessThanOrEqual(mostLiterals);
  });

  it('name the inputs of models where graphs are made and where clients are met, and nowhere else', () => {
    const others = sources.filter((file) => /^(?:engine|stages(?!.export)|pipeline|reports)\b/.test(file));
    expect(others.length).toBeGreaterThan(100);
    expect(others.filter((file) => /\b(?:input_ids|attention_mask)\b/.test(read(file)))).toEqual([]);
  });

  it('train and answer with whatever losses and tasks there are', () => {
    const trainer = sources.filter((file) => /^engine.[^/\\]+\.ts$/.test(file));
    const imported = trainer.flatMap((file) => [...read(file).matchAll(/'(\.\/(?:losses|tasks)\/[^']+)'/g)]);
    // The list of tasks is asked for the one of a model, in one place.
    expect(new Set(imported.map(([, path]) => path))).toEqual(
      new Set(['./losses/loss.ts', './tasks/task.ts', './tasks/index.ts']),
    );
  });

  it('are files that one can read at a sitting', () => {
    const lengths = sources.map((file) => ({ file, lines: read(file).trimEnd().split('\n').length }));
    expect(lengths.filter(({ lines }) => lines > longestFile)).toEqual([]);
  });
});

describe('index files list', () => {
  it('every folder of stages', () => {
    const folders = readdirSync(join(root, 'stages'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(stages.map(({ uses }) => uses).sort()).toEqual(folders.map(({ name }) => name).sort());
  });

  it.each([
    'graph/ops',
    'graph/rewrite/rules',
    'stages/prune/criteria',
    'engine/losses',
    'models/importers',
    'models/architectures',
  ])('every piece of %s', (folder) => {
    const index = read(join(folder, 'index.ts'));
    const reached = filesIn(folder).filter((file) => index.includes(`'./${file.slice(folder.length + 1)}'`));
    // Helpers are files that a piece uses, or another helper.
    for (const file of reached) {
      const text = read(file);
      const used = (other: string): boolean => text.includes(`'./${relative(dirname(file), other)}'`);
      const beside = (other: string): boolean => text.includes(`'${relative(dirname(file), other)}'`);
      reached.push(...filesIn(folder).filter((other) => !reached.includes(other) && (used(other) || beside(other))));
    }
    expect(filesIn(folder).filter((file) => !reached.includes(file) && file !== join(folder, 'index.ts'))).toEqual([]);
  });
});

describe('README', () => {
  const readme = read('README.md');

  it('tells every stage of a pipeline file', () => {
    const offered = stages.filter(({ place }) => place === 'named').map(({ uses }) => uses);
    const told = [...readme.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name).slice(1);
    expect(told).toEqual(offered);
  });

  it('and the reference have every dataset', () => {
    expect(datasets.filter(({ uses }) => !read('docs/reference.md').includes(`### ${uses}\n`))).toEqual([]);
  });
});

/** Registries are reached through their clients: an address grows old, and a mirror has another. */
const registryAddress = /https?:\/\/[^\s)]*(?:registry|npmjs|pypi|pythonhosted|crates|debian|rubygems)[^\s)]*/gi;

const documentsIn = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(?:md|ya?ml|html)$/.test(file))
    .map((file) => join(folder, file));

describe('documents', () => {
  it('name no address of a package registry', () => {
    const top = readdirSync(root).filter((file) => file.endsWith('.md') || file.endsWith('.yaml'));
    const files = [...top, ...documentsIn('docs'), ...documentsIn('examples')];
    expect(files).toContain(join('docs', 'results', 'minilm.md'));
    expect(files.flatMap((file) => read(file).match(registryAddress) ?? [])).toEqual([]);
    expect('see https://registry.example/a and (http://files.pythonhosted.example/b)'.match(registryAddress)).toEqual([
      'https://registry.example/a',
      'http://files.pythonhosted.example/b',
    ]);
  });

  it.each(['ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md'])('%s links to what exists', (document) => {
    const targets = [...read(document).matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)].map(([, target]) => target ?? '');
    expect(targets.filter((target) => !existsSync(join(root, target)))).toEqual([]);
  });

  it('name files of the repository as they are called', () => {
    const named = ['ARCHITECTURE.md', 'CONTRIBUTING.md'].flatMap((document) =>
      [...read(document).matchAll(/`((?:pipeline|stages|models|graph|engine|data|reports|test|docs)\/[\w./-]+)`/g)].map(
        ([, path]) => path ?? '',
      ),
    );
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

/** A case that ends with a limit of its own, which a busy machine passes before the one of vitest.config.ts. */
const ownLimit = /^\s*\},\s*(\d[\d_]{3,}),?\s*\);$/gm;

const shortLimits = (text: string): readonly string[] =>
  [...text.matchAll(ownLimit)].flatMap(([line, limit = '']) =>
    Number(limit.replaceAll('_', '')) < 300_000 ? [line.trim()] : [],
  );

describe('no test depends on an idle machine, so that', () => {
  it('none has a shorter limit than all have', () => {
    const files = filesIn('test');
    expect(files.flatMap((file) => shortLimits(read(file)).map((line) => `${file}: ${line}`))).toEqual([]);
  });

  it.each(['}, 60_000);', '},\n    180_000,\n  );'])('and the check notices one in %j', (text) =>
    expect(shortLimits(text)).toEqual([text]),
  );
});
