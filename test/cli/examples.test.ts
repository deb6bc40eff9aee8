import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeModel } from '../../models/files.ts';
import { validate } from '../../pipeline/api/index.ts';
import { clientModel } from '../clients/rig.ts';
import { smallPackages } from '../data/small-packages.ts';
import { root } from '../rig/build.ts';
import { decant } from '../rig/cli.ts';
import { smallScale } from '../rig/small-scale.ts';
import { workspace } from '../rig/workspace.ts';

const space = workspace();
afterAll(() => space[Symbol.dispose]());

/** The examples as they lie in the repository, with a part of the npm packages that take long to read. */
cpSync(join(root, 'examples'), space.path('examples'), { recursive: true });
for (const models of ['test/golden/checkpoints', 'test/golden/exports/whole'])
  cpSync(join(root, models), space.path(models), { recursive: true });
symlinkSync(join(root, 'node_modules'), space.path('node_modules'));
const beside = {
  ...space,
  path: (...parts: readonly string[]) => space.path('examples', ...parts),
  write: (name: string, content: string | Uint8Array) => space.write(join('examples', name), content),
};
for (const uses of ['spam-assassin', 'brown-tags', 'mnist']) smallPackages[uses]?.(beside);

const files = readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.yaml'));

/** What people do every day, each in a row of its own in the table. */
const everyday = ['tickets', 'sentiment', 'entities', 'tags', 'similarity', 'search', 'spam', 'pairs'];

/**
 * The same stages run on the same kind of file in a test of that kind (six-kinds.test.ts, onnx-file.test.ts, decoders/, text2text/, stages/attention.test.ts),
 * and whole documents take minutes at any scale: these only with DECANT_EXAMPLES=all.
 */
const ranElsewhere = [
  ...['question-pairs.yaml', 'sentiment.yaml', 'own-data.yaml'],
  ...['verb-frames.yaml', 'word-similarity.yaml', 'foreign.yaml', 'tickets.yaml'],
  ...['language-model.yaml', 'letters-to-phonemes.yaml', 'long-mails.yaml'],
];
const isAll = process.env.DECANT_EXAMPLES === 'all';

/** Whole pipelines, on a machine that may be busy. */
const LONGEST_MS = 900_000;

describe('the examples', () => {
  it('are five or more, and all of them are told', () => {
    expect(files.length).toBeGreaterThanOrEqual(5);
    const told = readFileSync(join(root, 'examples/README.md'), 'utf8');
    expect(files.filter((file) => !told.includes(`[${file}](${file})`))).toEqual([]);
    const rows = [...told.matchAll(/^\| (\w+) \| \[([\w-]+\.yaml)\]/gm)].map(([, task, file]) => [task, file]);
    expect(rows.map(([task]) => task)).toEqual(everyday);
    expect(rows.filter(([, file]) => !files.includes(file ?? ''))).toEqual([]);
  });

  it.each(files)('%s is valid', async (file) => {
    const { stages } = await validate(space.path('examples', file));
    expect(stages.length).toBeGreaterThan(2);
  });

  it('has data that its recipes make to the letter', () => {
    for (const recipe of readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.recipe.mjs'))) {
      const { status, stderr } = spawnSync(process.execPath, [space.path('examples', recipe)], { encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    }
    for (const file of ['tickets.csv', 'reviews.csv', 'questions.csv', 'orders.jsonl'])
      expect([file, readFileSync(space.path('examples', file), 'utf8')]).toEqual([
        file,
        readFileSync(join(root, 'examples', file), 'utf8'),
      ]);
  });

  it('finds texts by what they mean', async () => {
    await writeModel(space.path('vectors'), clientModel('features'));
    const texts = space.write('texts.txt', 'the old dog runs\nthe cat sleeps quietly\na small bird sings\n');
    const args = [join(root, 'examples/search.mjs'), space.path('vectors'), texts, 'the cat sleeps quietly'];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const found = stdout.trim().split('\n');
    expect(found[0]).toBe('1.000  the cat sleeps quietly');
    expect(found).toHaveLength(3);
  });

  // Those that the guide runs have their test with its commands.
  const guide = readFileSync(join(root, 'docs/guide.md'), 'utf8');
  const unguided = files.filter((file) => !guide.includes(`decant run examples/${file}`));
  it.skip.each(isAll ? [] : ranElsewhere)('%s runs as it stands (only with DECANT_EXAMPLES=all)', () => undefined);
  it.each(unguided.filter((file) => isAll || !ranElsewhere.includes(file)))(
    '%s runs as it stands, at small scale',
    async (file) => {
      const path = space.path('examples', file);
      const args = ['run', path, ...smallScale(path, 150), '--store', space.path('store'), '--json'];
      const { code, stderr } = await decant(args, { cwd: space.folder });
      expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
      const deployed = readdirSync(space.path('examples/runs', file.replace('.yaml', ''), 'deploy'));
      const reads = file === 'digits.yaml' ? 'preprocessor_config.json' : 'tokenizer.json';
      expect(deployed).toEqual(expect.arrayContaining(['config.json', 'onnx', reads]));
    },
    LONGEST_MS,
  );
});
