import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { root } from '../rig/build.ts';
import { decant, tinyCsv } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

/** Fields of events by type; those that may be missing end in a question mark. */
type Fields = Readonly<Record<string, readonly string[]>>;

const textOf = (file: string): string => readFileSync(`${root}docs/${file}`, 'utf8');

const sorted = (fields: readonly string[]): readonly string[] => fields.toSorted();

/** The table of the guide. */
const documented = (): Fields => {
  const [, section = ''] = textOf('guide.md').split('### Events of a run\n');
  const rows = section.split('\n## ')[0]?.matchAll(/^\| `([\w-]+)` \|([^|]*)\|/gm) ?? [];
  return Object.fromEntries(
    [...rows].map(([, type = '', fields = '']) => [
      type,
      sorted([...fields.matchAll(/`([\w?]+)`/g)].map(([, name = '']) => name)),
    ]),
  );
};

/** The declaration, as the page of the API has it. */
const declared = (): Fields => {
  const [, after = ''] = textOf('api.md').split('type RunEvent =\n');
  const [union = ''] = after.split(';\n\ntype Emit');
  const members = union.split(/^ {2}\| \{/m).slice(1);
  return Object.fromEntries(
    members.map((member) => {
      const [, type = ''] = /readonly type: '([\w-]+)'/.exec(member) ?? [];
      const names = [...member.matchAll(/readonly (\w+\??):/g)].map(([, name = '']) => name);
      return [type, sorted(names.filter((name) => name !== 'type'))];
    }),
  );
};

const pipeline = `name: small
data: { uses: csv, file: tiny.csv, maxLength: 16, labelled: 200 }
measure: { rounds: 3, processes: 2, loads: 0, profile: false }
stages:
  - { id: encoder, uses: train, steps: 40, batch: 16, architecture: { hidden: 16, layers: 1, heads: 2, ffn: 32, vocabulary: 300 } }
  - { id: int8, uses: quantize }
`;

interface Logged {
  readonly type: string;
  readonly [field: string]: unknown;
}

const isLogged = (value: unknown): value is Logged => typeof value === 'object' && value !== null && 'type' in value;

/** What is wrong with a line by the table. */
const problemsOf = ({ type, at, ...fields }: Logged, table: Fields): readonly string[] => {
  const known = table[type];
  if (known === undefined) return [`${type} is not in the table`];
  const names = known.map((name) => name.replace('?', ''));
  const missing = known.filter((name) => !name.endsWith('?') && !(name in fields));
  return [
    ...(typeof at === 'string' && !Number.isNaN(Date.parse(at)) ? [] : [`${type} has no time`]),
    ...Object.keys(fields)
      .filter((name) => !names.includes(name))
      .map((name) => `${type}.${name} is not in the table`),
    ...missing.map((name) => `${type}.${name} is missing`),
  ];
};

describe('the table of events in the guide', () => {
  it('has every type and field that is declared', () => {
    expect(Object.keys(documented()).length).toBeGreaterThan(10);
    expect(documented()).toEqual(declared());
  });

  it('is what runs log: one that fails, then one that reuses', async () => {
    using space = workspace();
    space.write('tiny.csv', tinyCsv());
    const file = space.write('pipeline.yaml', pipeline);
    // Matrices of this width are too small to be stored in 8 bits.
    expect((await decant(['run', file])).code).toBe(1);
    expect((await decant(['run', file, '--until', 'encoder'])).code).toBe(0);
    const text = readFileSync(space.path('runs', 'small', 'events.jsonl'), 'utf8');
    const events = text
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
      .filter(isLogged);
    expect(events.flatMap((event) => problemsOf(event, documented()))).toEqual([]);
    const types = new Set(events.map(({ type }) => type));
    for (const type of [
      'run-started',
      'expected',
      'cached',
      'started',
      'progress',
      'finished',
      'failed',
      'run-finished',
    ])
      expect(types).toContain(type);
    const told = {
      metric: 'accuracy',
      score: expect.any(Number),
      low: expect.any(Number),
      high: expect.any(Number),
      answers: expect.any(Number),
    };
    const evaluated = events.filter(
      ({ type, figures }) => figures !== undefined && (type === 'finished' || type === 'cached'),
    );
    expect(evaluated.map(({ step, figures }) => [step, figures])).toEqual(Array(2).fill(['encoder/evaluate', told]));
  });

  it('and the comparison notices what is missing or more', () => {
    const table = { log: ['message', 'step'] };
    const at = '2026-01-01T00:00:00.000Z';
    expect(problemsOf({ type: 'log', at, step: 's', extra: 1 }, table)).toEqual([
      'log.extra is not in the table',
      'log.message is missing',
    ]);
    expect(problemsOf({ type: 'other' }, table)).toEqual(['other is not in the table']);
  });
});
