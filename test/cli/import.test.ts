import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { goldenFolder } from '../models/golden-checkpoints.ts';
import { decant } from '../rig/cli.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

/** Words that the tiny tokenizer knows, a class each: the checkpoint's weights are random, so what it says is noise. */
const sentences = ['old dogs sleep near the stove', 'prices of coffee rose', 'the train is late again'];
const classes = ['animal', 'money', 'travel'];
const csv = (names: readonly string[]): string =>
  Array.from({ length: 90 }, (_, i) => `${sentences[i % 3]} ${'again '.repeat(1 + (i % 29))},${names[i % 3]}\n`).reduce(
    (text, line) => text + line,
    'text,label\n',
  );

const prepare = (space: Workspace, stages: string, names = classes): void => {
  cpSync(goldenFolder('bert'), join(space.folder, 'my-model'), { recursive: true });
  space.write('texts.csv', csv(names));
  space.write(
    'pipeline.yaml',
    `name: mine
seed: 1
data: { uses: csv, file: texts.csv, maxLength: 16 }
measure: { rounds: 3, processes: 2, loads: 0, profile: false }
stages:
${stages}`,
  );
};

describe('a fine-tuned checkpoint of a folder', () => {
  it('is evaluated as it is, pruned, distilled and quantized without training it first', async () => {
    using space = workspace();
    prepare(
      space,
      `  - { id: teacher, uses: import, model: ./my-model }
  - { id: slim, uses: prune, keep: { heads: 2, ffn: 16 }, recover: { uses: distill, teacher: teacher, epochs: 1 } }
  - { id: int8, uses: quantize }
`,
    );
    const { code, stdout, stderr } = await decant(['run', '--plain'], { cwd: space.folder });
    expect([code, stderr]).toEqual([0, '']);
    for (const id of ['teacher', 'slim', 'int8']) expect(stdout).toMatch(new RegExp(`^\\s*${id} +\\d`, 'm'));
    const info = JSON.parse(readFileSync(join(space.folder, 'runs/mine/models/slim/model.json'), 'utf8'));
    expect(info).toMatchObject({ labels: classes, dimensions: { heads: 2, ffn: 16, layers: 2 } });
  });

  it('with other classes, a pickle alone or a lie in it ends the run with one clear error', async () => {
    using space = workspace();
    prepare(space, '  - { id: teacher, uses: import, model: ./my-model }\n', ['good', 'bad', 'ugly']);
    const labels = await decant(['run', '--plain'], { cwd: space.folder });
    expect(labels.code).toBe(1);
    expect(labels.stderr).toMatch(/classifies into 3 labels \(animal, money, travel\), the data has 3 \(/);
    const weights = join(space.folder, 'my-model/model.safetensors');
    writeFileSync(weights, readFileSync(weights).subarray(0, 5000));
    const cut = await decant(['run', '--plain'], { cwd: space.folder });
    expect(cut.stderr).toMatch(/model\.safetensors: .*cut short/);
    expect(cut.code).toBe(1);
    rmSync(weights);
    space.write('my-model/pytorch_model.bin', 'pickle');
    for (const command of ['plan', 'run']) {
      const pickle = await decant([command], { cwd: space.folder });
      expect(pickle.stderr).toMatch(/has no model\.safetensors .* pytorch_model\.bin is a pickle, which runs code/);
      expect(pickle.stderr).not.toContain('    at ');
    }
  });
});
