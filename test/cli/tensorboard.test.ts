import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decant, tinyCsv, tinyPipeline } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

const space = workspace();
afterAll(() => space[Symbol.dispose]());

interface Point {
  readonly tag: string;
  readonly step: number;
  readonly value: number;
}

const varintAt = (bytes: Buffer, at: number): readonly [number, number] => {
  let [value, place, next] = [0, 1, at];
  for (; (bytes[next] ?? 0) > 127; next++, place *= 128) value += ((bytes[next] ?? 0) & 127) * place;
  return [value + (bytes[next] ?? 0) * place, next + 1];
};

/** The scalars of a file, by the layout of TFRecords and of Event messages as decant writes them. */
const pointsIn = (bytes: Buffer): readonly Point[] => {
  const points: Point[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    const data = bytes.subarray(at + 12, at + 12 + length);
    at += 16 + length;
    // wall_time takes nine bytes; the first record goes on with the version, others with the step.
    if (data[9] !== 0x10) continue;
    const [step, summary] = varintAt(data, 10);
    const [, value] = varintAt(data, summary + 1);
    const [, tag] = varintAt(data, value + 1);
    const [size, start] = varintAt(data, tag + 1);
    points.push({
      tag: data.subarray(start, start + size).toString(),
      step,
      value: data.readFloatLE(start + size + 1),
    });
  }
  return points;
};

const folder = space.path('runs', 'tiny', 'tensorboard');
const logged = (): readonly Point[] => {
  const [file = '', ...more] = readdirSync(folder);
  expect(more).toEqual([]);
  expect(file).toMatch(/^events\.out\.tfevents\.\d+\.decant$/);
  return pointsIn(readFileSync(`${folder}/${file}`));
};

const valuesOf = (points: readonly Point[], tag: string) => points.filter((point) => point.tag === tag);

describe('log: tensorboard', () => {
  let report: {
    readonly stages: readonly { readonly id: string; readonly quality: { readonly score: number } | null }[];
  };

  beforeAll(async () => {
    space.write('tiny.csv', tinyCsv());
    space.write('pipeline.yaml', `${tinyPipeline}log: tensorboard\n`);
    const env = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: space.path('summary.md') };
    const { code, stdout } = await decant(['run', '--json'], { cwd: space.folder, env });
    expect(code).toBe(0);
    report = JSON.parse(stdout);
  });

  it('writes losses as they come, scores on validation texts, and what every stage came to', () => {
    const points = logged();
    const losses = valuesOf(points, 'teacher/loss');
    expect(losses.length).toBeGreaterThan(1);
    expect(losses.map(({ step }) => step)).toEqual(losses.map(({ step }) => step).toSorted((a, b) => a - b));
    expect(valuesOf(points, 'teacher/validation_accuracy').length).toBe(4);
    const judged = report.stages.flatMap(({ quality }, step) =>
      quality === null ? [] : [{ step, value: quality.score }],
    );
    expect(valuesOf(points, 'stages/accuracy')).toEqual(
      judged.map(({ step, value }) => ({ tag: 'stages/accuracy', step, value: Math.fround(value) })),
    );
  });

  it('writes what was reused again, in one file', async () => {
    const before = logged();
    const { code } = await decant(['run'], { cwd: space.folder });
    expect(code).toBe(0);
    const after = logged();
    for (const tag of ['teacher/validation_accuracy', 'student/validation_accuracy', 'stages/accuracy', 'stages/bytes'])
      expect(valuesOf(after, tag)).toEqual(valuesOf(before, tag));
    expect(valuesOf(after, 'teacher/loss').length).toBeGreaterThan(0);
  });

  it('beside a report that GitHub shows as the summary of the step', () => {
    const summary = readFileSync(space.path('summary.md'), 'utf8');
    expect(summary).toBe(`${readFileSync(space.path('runs', 'tiny', 'report.md'), 'utf8')}\n`);
  });

  it('is refused where it names something else', async () => {
    space.write('other.yaml', `${tinyPipeline}log: tensorbord\n`);
    const { code, stderr } = await decant(['validate', 'other.yaml'], { cwd: space.folder });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('tensorboard') });
  });
});
