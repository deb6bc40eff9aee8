import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readModelArtifact } from '../../models/files.ts';
import { decant, tinyCsv } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

/** Every loss that can be taken for classes, the teacher wider and deeper than the student and with other heads. */
const pipeline = `name: losses
data: { uses: csv, file: tiny.csv, maxLength: 16, labelled: 200 }
stages:
  - { id: teacher, uses: train, architecture: { hidden: 24, layers: 3, heads: 3, ffn: 48, vocabulary: 300 }, epochs: 8, batch: 16, learningRate: 0.005 }
  - { id: small, uses: train, architecture: { hidden: 16, layers: 2, heads: 2, ffn: 32, vocabulary: 300 }, epochs: 0.1, batch: 16 }
  - id: student
    uses: distill
    teacher: teacher
    epochs: 3
    batch: 16
    learningRate: 0.005
    losses:
      - { uses: kl, temperature: { from: 4, to: 1 } }
      - { uses: reverse-kl, weight: 0.1 }
      - { uses: mse, weight: { from: 0.1, to: 0, schedule: cosine, until: 0.5 } }
      - { uses: dist, temperature: 1 }
      - { uses: hidden, layers: dynamic, until: 0.5 }
      - { uses: hidden-cosine }
      - { uses: hidden-normalised, layers: { 0: 0, 1: 2 }, weight: 0.5 }
      - { uses: attention }
      - { uses: attention, compare: scores, weight: 0.1 }
      - { uses: relations }
      - { uses: embeddings, until: 0.5 }
`;

it('trains a student by every loss of the list, and leaves nothing of their projections', async () => {
  using space = workspace();
  space.write('tiny.csv', tinyCsv());
  space.write('pipeline.yaml', pipeline);
  const run = await decant(['run', '--until', 'student'], { cwd: space.folder });
  expect(run.code, run.stderr).toBe(0);
  const report = JSON.parse(readFileSync(space.path('runs/losses/report.json'), 'utf8'));
  const scores = Object.fromEntries(
    report.stages.map(({ id, quality }: { id: string; quality: { score: number } }) => [id, quality.score]),
  );
  expect(scores.student).toBeGreaterThan(Math.max(0.6, scores.small));
  const { graph } = await readModelArtifact((file) => space.path('runs/losses/models/student', file));
  expect([...graph.weights.keys()].filter((name) => name.includes('projection'))).toEqual([]);
});
