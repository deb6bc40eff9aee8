import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { importModel } from '../../models/importers/index.ts';
import { compiledRig } from '../rig/build.ts';
import { effort, isLate } from '../rig/effort.ts';
import { goldenCheckpoints, hostileCheckpoints } from '../rig/hostile/checkpoints.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

/** A second on an idle machine; tests share theirs with others. */
const SOON_SECONDS = 5;
/** Who waits for a pipe waits longer, also where a process takes seconds to start. */
const NEVER_MS = 40_000;
/** Nobody reads more; a message that holds a file's content is an attack on the terminal. */
const LONGEST_MESSAGE = 2000;

type Json = Record<string, unknown>;
/** A copy of a golden checkpoint that a test may spoil. */
const spoiled = (space: Workspace, name = 'bert'): string => {
  cpSync(`${goldenCheckpoints}${name}`, space.path(name), { recursive: true });
  return space.path(name);
};

const editJson = (path: string, edit: (json: Json) => unknown): void => {
  const json: Json = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify(edit(json) ?? json));
};

const outcomeOf = async (folder: string): Promise<unknown> => {
  try {
    const { graph } = await importModel(folder, folder);
    for (const tensor of graph.weights.values()) tensor.bytes.read();
    return 'imported';
  } catch (error) {
    return error;
  }
};

/** The folder is refused with one message that can be read, soon. */
const refusal = async (folder: string): Promise<string> => {
  const spent = effort();
  const outcome = await outcomeOf(folder);
  expect(outcome).toMatchObject({ kind: 'import' });
  const message = outcome instanceof Error ? outcome.message : '';
  expect(isLate(spent(), SOON_SECONDS)).toBe(false);
  expect(message.length).toBeLessThan(LONGEST_MESSAGE);
  return message;
};

describe('a hostile checkpoint is refused', () => {
  it.each(hostileCheckpoints)('$name', async ({ golden, spoil }) => {
    using space = workspace();
    const folder = spoiled(space, golden);
    spoil(folder);
    await refusal(folder);
  });
});

describe('hostile config.json', () => {
  it('of another kind of JSON, or none', async () => {
    using space = workspace();
    const folder = spoiled(space);
    for (const text of ['', 'null', '[]', '5', '{', '\0', '{"a":1}x', '['.repeat(100_000), '{"a":'.repeat(5000)]) {
      writeFileSync(`${folder}/config.json`, text);
      await refusal(folder);
    }
  });

  it('whose rest is kept in every model made of it is no larger than a description', async () => {
    using space = workspace();
    const folder = spoiled(space);
    editJson(`${folder}/config.json`, (json) => ({ ...json, note: 'x'.repeat(50_000_000) }));
    await refusal(folder);
  });

  it('with a model type as long as a book is not repeated', async () => {
    using space = workspace();
    const folder = spoiled(space);
    editJson(`${folder}/config.json`, (json) => ({ ...json, model_type: 'x'.repeat(1_000_000) }));
    await refusal(folder);
  });
});

describe('hostile safetensors', () => {
  it('cut at any place', async () => {
    using space = workspace();
    const folder = spoiled(space);
    const whole = readFileSync(`${folder}/model.safetensors`);
    for (let cut = 0; cut < whole.length; cut += 1 + (whole.length >> 6)) {
      writeFileSync(`${folder}/model.safetensors`, whole.subarray(0, cut));
      await refusal(folder);
    }
  });

  it('whose header is as long as a film', async () => {
    using space = workspace();
    const folder = spoiled(space);
    const path = `${folder}/model.safetensors`;
    writeFileSync(path, Buffer.from('00e1f50500000000', 'hex'));
    truncateSync(path, 8 + 100_000_000);
    await refusal(folder);
  });
});

describe('hostile index of shards', () => {
  it('that names a folder', async () => {
    using space = workspace();
    const folder = spoiled(space, 'bert-features');
    cpSync(`${goldenCheckpoints}bert`, `${folder}/deep.safetensors`, { recursive: true });
    editJson(`${folder}/model.safetensors.index.json`, () => ({ weight_map: { a: 'deep.safetensors' } }));
    await refusal(folder);
  });
});

describe('hostile files', () => {
  it.each(['config.json', 'tokenizer.json', 'model.safetensors', 'README.md'])(
    'that are folders are refused: %s',
    async (name) => {
      using space = workspace();
      const folder = spoiled(space);
      spawnSync('rm', [`${folder}/${name}`]);
      cpSync(`${goldenCheckpoints}sentence-transformers/1_Pooling`, `${folder}/${name}`, { recursive: true });
      await refusal(folder);
    },
  );

  it('README.md of three gigabytes does not matter', async () => {
    using space = workspace();
    const folder = spoiled(space);
    writeFileSync(`${folder}/README.md`, '---\nlicense: mit\n---\n');
    truncateSync(`${folder}/README.md`, 3e9);
    const spent = effort();
    expect(await outcomeOf(folder)).toBe('imported');
    expect(isLate(spent(), SOON_SECONDS)).toBe(false);
  });

  it.skipIf(process.platform === 'win32').each(['config.json', 'tokenizer.json', 'model.safetensors'])(
    'that never answer are not waited for: %s as a named pipe',
    (name) => {
      using space = workspace();
      const folder = spoiled(space);
      spawnSync('sh', ['-c', `rm '${folder}/${name}' && mkfifo '${folder}/${name}'`]);
      const script = `import('${compiledRig}/models/importers/index.js').then((m) => m.importModel('${folder}', '${folder}')).catch((error) => console.log(error.kind))`;
      const { stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', timeout: NEVER_MS });
      expect(stdout).toBe('import\n');
    },
  );
});
