import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { renderApi } from '../../docs/api.ts';
import { renderReference } from '../../docs/reference.ts';
import type { Catalogue } from '../../pipeline/catalogue.ts';
import { decantCatalogue } from '../../pipeline/kinds.ts';
import { editorSchema } from '../../pipeline/yaml/head.ts';
import { defineStage } from '../../stages/stage.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

const wood = defineStage({
  uses: 'wood',
  version: 1,
  summary: 'Turns models into wood.',
  config: z.strictObject({
    rings: z.int().min(2).max(9).default(3).describe('how old it is'),
    oak: z.enum(['red', 'white']).describe('which | oak'),
    knots: z
      .strictObject({
        share: z
          .number()
          .gt(0)
          .max(1)
          .default(1 / 3),
      })
      .optional(),
  }),
  place: 'named',
  metrics: z.looseObject({}),
  makes: 'model',
  draws: false,
  from: ['bark', 'core'],
  wire: () => ({}),
  run: async () => ({}),
});

const forest: Catalogue = { ...decantCatalogue, stages: [wood] };

describe('the reference', () => {
  it('is what the schemas say: npm run docs', () => {
    expect(read('docs/reference.md')).toBe(renderReference(decantCatalogue));
  });

  it('comes with the API as its source declares it: npm run docs', () => {
    const api = renderApi();
    expect(read('docs/api.md')).toBe(api);
    const exported = read('pipeline/api/index.ts').matchAll(/^export const (\w+) = /gm);
    for (const [, name] of exported) expect(api).toContain(`### ${name}\n`);
  });

  it('comes with the schema for editors: npm run docs', () => {
    expect(JSON.parse(read('pipeline.schema.json'))).toEqual(JSON.parse(JSON.stringify(editorSchema(decantCatalogue))));
  });

  it('describes every option of every stage and dataset', () => {
    const rows = read('docs/reference.md')
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    expect(rows.length).toBeGreaterThan(80);
    expect(rows.filter((row) => !/ [A-Z0-9][^|]+\. \|$/.test(row))).toEqual([]);
  });

  it('tells type, default, range and the options inside of options', () => {
    expect(renderReference(forest)).toContain(`### wood

Turns models into wood.

\`from\` takes a stage id, or named ids: \`bark\`, \`core\`.

| option | type | default | range | what it does |
|---|---|---|---|---|
| \`rings\` | whole number | \`3\` | 2 to 9 | How old it is. |
| \`oak\` | \`red\`, \`white\` | *required* |  | Which \\| oak. |
| \`knots\` | mapping |  |  |  |
| \`knots.share\` | number | \`1/3\` | above 0, up to 1 |  |
`);
  });
});
