import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** What a module names in imports that are there when it runs: types are erased, and `import()` comes later. */
const importsOf = (text: string): readonly string[] =>
  [...text.matchAll(/^(?:import|export)\s+(?!type\b)(?:[^'";]*?\bfrom\s+)?'([^']+)'/gm)].map(([, name = '']) => name);

/** Modules of our own, and packages, that have to load before a module runs. */
const loadedWith = (entry: string): readonly string[] => {
  const loaded = new Set<string>();
  const load = (file: string): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    for (const name of importsOf(readFileSync(join(root, file), 'utf8'))) {
      if (name.startsWith('.')) load(relative(root, resolve(root, dirname(file), name)).replaceAll('\\', '/'));
      else loaded.add(name);
    }
  };
  load(entry);
  return [...loaded];
};

const heavy =
  /^(?:graph\/(?:ops|codec|rewrite|cut)\/|engine\/(?:session|native|train|predict)|onnx|tokenizers$|@huggingface)/;
const parsers = /^(?:zod|yaml|csv-parse|listr2|proper-lockfile)$/;

describe('loading', () => {
  it.each(['pipeline/kinds.ts', 'pipeline/load.ts', 'pipeline/execute/run.ts'])(
    'of %s, which a run needs that finds everything in the store, takes no graph and no engine',
    (entry) => expect(loadedWith(entry).filter((name) => heavy.test(name))).toEqual([]),
  );

  it('of the command line, which help needs, takes no parser', () => {
    expect(loadedWith('pipeline/cli.ts').filter((name) => heavy.test(name) || parsers.test(name))).toEqual([]);
  });

  it('of what a stage does is seen to take them', () => {
    expect(loadedWith('stages/train/work.ts')).toEqual(
      expect.arrayContaining(['engine/train.ts', 'graph/ops/index.ts', 'zod']),
    );
  });

  it('is seen in every form of import', () => {
    const text =
      "import './a.ts';\nimport x, { type y } from './b.ts';\nexport { z } from './c.ts';\nimport {\n  w,\n} from './d.ts';";
    expect(importsOf(text)).toEqual(['./a.ts', './b.ts', './c.ts', './d.ts']);
    expect(importsOf("import type { T } from './e.ts';\nconst f = await import('./f.ts');")).toEqual([]);
  });
});
