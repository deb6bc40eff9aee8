import { describe, expect, it } from 'vitest';
import { isUserError } from '../../ground/errors.ts';
import { decantCatalogue } from '../../pipeline/kinds.ts';
import { loadPipeline } from '../../pipeline/load.ts';
import { tinyCsv } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

const models = `  - { id: teacher, uses: train, architecture: { hidden: 24, layers: 3, heads: 3, ffn: 32, vocabulary: 400 } }
  - { id: small, uses: train, architecture: { hidden: 16, layers: 2, heads: 2, ffn: 32, vocabulary: 400 } }
`;

/** What a plan says of a student that learns so, with the text that it points at. */
const said = async (options: string, before = '', teacher = 'teacher'): Promise<readonly string[]> => {
  using space = workspace();
  space.write('tiny.csv', tinyCsv());
  const student = `  - { id: student, uses: distill, from: small, teacher: ${teacher}, ${options} }`;
  const text = `name: p\ndata: { uses: csv, file: tiny.csv, maxLength: 16 }\nstages:\n${models}${before}${student}\n`;
  const lines = text.split('\n');
  const at = (line: number, column: number): string =>
    (lines[line - 1] ?? '').slice(column - 1).replace(/[ }\]]+$/, '');
  return await loadPipeline(space.write('pipeline.yaml', text), [], decantCatalogue, () => undefined).then(
    () => [],
    (error: unknown) => {
      if (!isUserError(error, 'request')) throw error;
      return Object(error.facts).problems.map(
        (one: { message: string; hints?: readonly string[]; line: number; column: number }) =>
          `${[one.message, ...(one.hints ?? [])].join('; ')} AT ${at(one.line, one.column)}`,
      );
    },
  );
};

describe('a plan with losses', () => {
  it.each<[string, string, string]>([
    [
      `a name that is none`,
      `losses: [{ uses: 'kl' }, { uses: relation }]`,
      `losses[1] of stage "student" (distill) uses "relation", which does not exist; did you mean "relations"? AT relation`,
    ],
    [
      `an option of another loss`,
      `losses: [{ uses: mse, temperature: 2 }]`,
      `unknown option "temperature" of losses[0] of stage "student" (distill); options: uses, weight, until AT temperature: 2`,
    ],
    [
      `a layer map that is none`,
      `losses: [{ uses: attention, layers: unifrom }]`,
      `layers is "unifrom"; expected uniform, last or dynamic or a mapping; did you mean "uniform"? AT unifrom`,
    ],
    [
      `a map to nowhere`,
      `losses: [{ uses: hidden, layers: { 1: 3 } }]`,
      `the teacher's layers are 0 to 2; found 3 AT 3`,
    ],
    [
      `a map from nowhere`,
      `losses: [{ uses: relations, layers: { 2: 2 } }]`,
      `the student's layers are 0 to 1; found 2 AT 2`,
    ],
    [
      `relation heads that do not divide`,
      `losses: [{ uses: relations, heads: 5 }]`,
      `5 relation heads do not divide the widths of both models' attention, 16 of the student and 24 of the teacher AT 5`,
    ],
    [
      `answers of another kind`,
      `losses: [{ uses: kl }, { uses: contrastive }]`,
      `the loss 'contrastive' is for answers of another kind than those of data for text-classification; losses for these: kl, reverse-kl, mse, dist AT contrastive`,
    ],
    [
      `a schedule that never ends`,
      `losses: [{ uses: kl, weight: { from: 1, to: 0, until: 3 } }]`,
      `until: expected the share of the steps at which it ends, above 0 and up to 1; found 3 AT 3`,
    ],
    [
      `a schedule that its loss does not live to see the end of`,
      `losses: [{ uses: kl }, { uses: mse, until: 0.3, weight: { from: 1, to: 0, until: 0.8 } }]`,
      `until: the schedule goes on longer than the loss, which is left out after 0.3 of the steps: it would never end AT 0.8`,
    ],
    [
      `hidden beside the list`,
      `losses: [{ uses: kl }], hidden: {}`,
      `losses lists all that is imitated, and hidden asks for hidden states beside it: write { uses: hidden } into losses, with share as 'until' AT {`,
    ],
    [
      `that nothing is left to learn`,
      `hard: 0, losses: [{ uses: kl, until: 0.5 }]`,
      `every loss is left out after 0.5 of the steps and hard is 0: nothing would be left to learn; leave out until of one of them AT [{ uses: kl, until: 0.5`,
    ],
    [`that a list has none`, `losses: []`, `losses is an empty list; expected a list of at least 1 item AT [`],
  ])('says %s, where it stands', async (_, options, expected) => {
    expect((await said(options)).join('\n')).toBe(expected);
  });

  it('says at once that it cannot look into a quantized teacher', async () => {
    const before = '  - { id: int8, uses: quantize, from: teacher }\n';
    const losses = 'losses: [{ uses: kl }, { uses: attention }, { uses: relations }]';
    expect(await said(losses, before, 'int8')).toEqual(
      ['attention', 'relations'].map((uses) =>
        expect.stringContaining(
          `the loss '${uses}' looks inside the teacher, which is quantized, and its fused layers show nothing`,
        ),
      ),
    );
  });

  it('says that attention of another kind has no map to compare, whose hidden states can be', async () => {
    const before = '  - { id: windowed, uses: attention, from: teacher, kind: window, width: 4 }\n';
    const losses = 'losses: [{ uses: attention }, { uses: relations }, { uses: hidden }]';
    expect(await said(losses, before, 'windowed')).toEqual(
      ['attention', 'relations'].map((uses) =>
        expect.stringContaining(
          `the loss '${uses}' compares where all tokens look in whole texts, and the teacher's attention is window`,
        ),
      ),
    );
  });

  it('takes what can be, in a recovery, too', async () => {
    const losses = `losses: [{ uses: kl, weight: { from: 1, to: 0.1 }, temperature: { from: 8, to: 2, schedule: cosine, until: 0.5 } }, { uses: hidden, layers: dynamic, until: 0.5 }, { uses: attention, compare: scores }, { uses: relations, heads: 8, of: [values] }, { uses: embeddings }]`;
    expect(await said(losses)).toEqual([]);
  });
});
