import { describe, expect, it } from 'vitest';
import { isUserError } from '../../ground/errors.ts';
import { decantCatalogue } from '../../pipeline/kinds.ts';
import { loadPipelines, type Plans } from '../../pipeline/load.ts';
import { membersOf, ownSteps } from '../../pipeline/plan/members.ts';
import { locate, parseYaml } from '../../pipeline/yaml/document.ts';
import { variantsIn } from '../../pipeline/yaml/variants.ts';
import { workspace } from '../rig/workspace.ts';

const pipeline = `name: x
data: { uses: csv, file: real.csv }
stages:
  - { id: teacher, uses: train, architecture: {}, epochs: 2 }
  - { id: student, uses: distill, teacher: teacher, temperature: 2 }
  - { id: int8, uses: quantize }
`;

/** The plans of a file with these variants; without any where there is no text. */
const load = async (variants: string, settings: readonly string[] = []): Promise<Plans> => {
  using space = workspace();
  const rows = Array.from({ length: 20 }, (_, i) => `some words ${i},a\nother words ${i},b\n`);
  space.write('real.csv', `text,label\n${rows.join('')}`);
  const text = variants === '' ? pipeline : `${pipeline}variants:\n${variants}`;
  return await loadPipelines(space.write('pipeline.yaml', text), settings, decantCatalogue);
};

const configs = (plans: Plans, stage: string, option: string): readonly unknown[] =>
  plans.map(({ steps }) => Object(steps.find(({ id }) => id === stage)?.config)[option]);

/** What `decant validate` prints about the variants of a file. */
const problems = async (variants: string, settings: readonly string[] = []): Promise<string> => {
  const error: unknown = await load(variants, settings).catch((problem: unknown) => problem);
  if (!isUserError(error, 'request')) return 'valid';
  return error.message.replaceAll(/\S*decant-\w+\//g, '');
};

describe('variants of a pipeline', () => {
  it('are plans with values of their own, told as --set would take them', async () => {
    const plans = await load(`  - id: base
  - { id: hot, set: { stages.student.temperature: 4, "stages.teacher.epochs": 1 } }
`);
    expect(plans.map(({ variant }) => variant)).toEqual(['base', 'hot']);
    expect(configs(plans, 'student', 'temperature')).toEqual([2, 4]);
    expect(configs(plans, 'teacher', 'epochs')).toEqual([2, 1]);
    expect(plans[1]?.overrides).toEqual(['stages.student.temperature=4', 'stages.teacher.epochs=1']);
  });

  it('are every combination of a grid, called by its values', async () => {
    const plans = await load(`  grid:
    stages.student.temperature: [1, 2.5]
    stages.int8.format: [int8, q4]
`);
    expect(plans.map(({ variant }) => variant)).toEqual([
      ...['temperature1-int8', 'temperature1-q4', 'temperature2.5-int8', 'temperature2.5-q4'],
    ]);
    expect(configs(plans, 'int8', 'format')).toEqual(['int8', 'q4', 'int8', 'q4']);
  });

  it('of a grid are called so that their folders can be', () => {
    const text = `variants: { grid: { a.pattern: [free, '2:4', 50%, -1, true, null], a.losses: [[{ uses: kl }, { uses: dist }]] } }`;
    const source = { name: 'x', text };
    const { located } = locate(parseYaml(source).document, source);
    expect(variantsIn(located, () => false).variants.map(({ id }) => id)).toEqual([
      ...['free-kl-dist', 'pattern2-4-kl-dist', 'pattern50-kl-dist', 'pattern-1-kl-dist', 'patterntrue-kl-dist'],
      'none-kl-dist',
    ]);
  });

  it('give way to --set, and know which steps they share, seed by seed', async () => {
    const text = `  - id: base
  - { id: hot, set: { stages.student.temperature: 4 } }
`;
    const plans = await load(text, ['seeds=[1, 2]', 'stages.teacher.epochs=3']);
    expect(configs(plans, 'teacher', 'epochs')).toEqual([3, 3]);
    const members = membersOf(plans);
    expect(members.map(({ variant, seed }) => `${variant} ${seed}`)).toEqual(['base 1', 'base 2', 'hot 1', 'hot 2']);
    const own = members.map((_, at) => [...ownSteps(members, at, decantCatalogue)]);
    expect(own[1]).toContain('teacher');
    expect(own[2]).toEqual([
      ...['student', 'student/evaluate', 'student/validate', 'int8', 'int8/evaluate', 'int8/validate'],
      ...['measure', 'profile'],
    ]);
    expect(own[3]).toEqual(own[2]);
  });

  it('alone ask models the validation texts', async () => {
    const [plan] = await load('  grid: { stages.student.temperature: [1, 2] }\n');
    expect(plan.steps.map(({ id }) => id)).toContain('int8/validate');
    const [alone] = await load('');
    expect(alone.steps.map(({ uses }) => uses)).not.toContain('validate');
  });

  it('are checked where they stand', async () => {
    expect(
      await problems(`  - id: base
  - { id: base, set: { stages.studnt.temperature: 4, seed: 3 } }
  - { id: int8, set: { stages.student.temprature: 4 } }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:9:11: the id "base" is taken by variant 1; every variant needs its own [duplicate-id]
        9 |   - { id: base, set: { stages.studnt.temperature: 4, seed: 3 } }
          |           ^^^^

      pipeline.yaml:9:54: "seed" is the same in every variant; variants set data, stages and what else decides what a model becomes [bad-variant]
        9 |   - { id: base, set: { stages.studnt.temperature: 4, seed: 3 } }
          |                                                      ^^^^
          = give seeds at the top of the file: each variant runs with each

      pipeline.yaml:10:11: "int8" names something else in every run; choose another id [reserved-id]
        10 |   - { id: int8, set: { stages.student.temprature: 4 } }
           |           ^^^^

      3 problems; nothing was run."
    `);
    expect(
      await problems(`  - id: base
  - { id: lost, set: { stages.studnt.temperature: 4 } }
  - { id: other, set: { stages.student.temprature: 4 } }
  - { id: cold, set: { stages.student.temperature: -1, nowhere: 4 } }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:9:31: no item has the id "studnt" [unknown-stage]
        9 |   - { id: lost, set: { stages.studnt.temperature: 4 } }
          |                               ^^^^^^
          = did you mean "student"?
          = in the variant "lost"

      pipeline.yaml:10:40: unknown option "temprature" of stage "student" (distill) [unknown-key]
        10 |   - { id: other, set: { stages.student.temprature: 4 } }
           |                                        ^^^^^^^^^^
           = did you mean "temperature"?
           = in the variant "other"

      pipeline.yaml:11:52: temperature is -1; expected at least 0.1 [out-of-range]
        11 |   - { id: cold, set: { stages.student.temperature: -1, nowhere: 4 } }
           |                                                    ^^
           = in the variant "cold"

      pipeline.yaml:11:56: unknown option "nowhere" of the pipeline [unknown-key]
        11 |   - { id: cold, set: { stages.student.temperature: -1, nowhere: 4 } }
           |                                                        ^^^^^^^
           = options: name, seed, seeds, engine, log, variants, data, stages, gates, baseline, measure
           = in the variant "cold"

      4 problems; nothing was run."
    `);
  });

  it('come to different things', async () => {
    expect(
      await problems(`  - id: base
  - { id: same, set: { stages.student.temperature: 2 } }
  - { id: short, set: { stages: [{ id: teacher, uses: train, architecture: {} }] } }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:9:11: variant "same" comes to the same as "base" [same-variant]
        9 |   - { id: same, set: { stages.student.temperature: 2 } }
          |           ^^^^
          = expected values that differ: some may be the defaults

      pipeline.yaml:10:11: variant "short" has no stage "student", which "base" has [other-stages]
        10 |   - { id: short, set: { stages: [{ id: teacher, uses: train, architecture: {} }] } }
           |           ^^^^^
           = give all variants the same stages, and leave one out with from

      2 problems; nothing was run."
    `);
    expect(
      await problems('  grid: { stages.student.temperature: [1, 4] }\n', ['stages.student.temperature=3']),
    ).toContain('variant "temperature4" comes to the same as "temperature1" [same-variant]');
  });

  it.each([
    ['an empty grid', '  grid: {}\n', '8:9: grid: expected a mapping of paths to lists of values'],
    [
      'a list of no values',
      '  grid: { stages.student.temperature: [] }\n',
      '8:39: stages.student.temperature is an empty list; expected a list of at least 1 item',
    ],
    [
      'a grid of one',
      '  grid: { stages.student.temperature: [1] }\n',
      '8:3: the grid comes to 1 variant; expected 2 to 100',
    ],
    [
      'a value twice',
      '  grid: { stages.student.temperature: [1, 1] }\n',
      '8:43: two variants of the grid would be called "temperature1"',
    ],
    ['a variant alone', '  - id: base\n', '8:3: variants is'],
    ['a number', '  7\n', '8:3: variants is 7; expected'],
    ['a name that names a path', '  - { id: ../x }\n  - { id: y }\n', '8:11: id is "../x"; expected letters'],
  ])('are refused: %s', async (_, variants, message) => {
    expect(await problems(variants)).toContain(`pipeline.yaml:${message}`);
  });
});
