import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLate } from '../rig/effort.ts';
import { settingsBombs } from '../rig/hostile/bombs-settings.ts';
import { mixedBomb, tokenizerBombs } from '../rig/hostile/bombs-tokenizers.ts';
import { goldenCheckpoints } from '../rig/hostile/checkpoints.ts';
import { hostileCommands } from '../rig/hostile/commands.ts';
import { replaceFiles, soundFolder } from '../rig/hostile/folder.ts';
import { faultsOf } from '../rig/hostile/run.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

/** Three seconds of an idle processor; a shared one takes longer for the same. */
const MOST_SECONDS = 8;

/** Each took gigabytes, ended the process or took minutes. The whole set is a benchmark. */
const tokenizers = [
  'a pre-tokenizer that splits at no length',
  'a pre-tokenizer of forty ByteLevels',
  'a post-processor of many tokens of many ids',
  'a post-processor of a thousand templates',
  'a hundred thousand added tokens of one id',
];
const settings = [
  'tokenizer_config.json of bert that is two hundred thousand keys',
  'added_tokens.json of bert that is two hundred thousand keys',
  'special_tokens_map.json of bert with a hundred thousand tokens',
  'tokenizer_config.json of bert with a decoder of a hundred thousand tokens',
];

/** A tokenizer that no class speaks of, so that all of it counts. */
const plain = { 'tokenizer_config.json': '{"tokenizer_class":"PreTrainedTokenizerFast","model_max_length":64}' };

describe('settings that cost far more than they weigh end in one message or a right answer', () => {
  let space: Workspace;
  const commands = hostileCommands();
  beforeAll(async () => {
    space = workspace();
    await soundFolder(space.path('sound'));
  });
  afterAll(async () => {
    await commands[Symbol.asyncDispose]();
    space[Symbol.dispose]();
  });

  const spoiled = (from: string, file: string, spoil: (text: string | undefined) => string): string => {
    const folder = space.path('spoiled');
    cpSync(from, folder, { recursive: true, force: true });
    const path = join(from, file);
    replaceFiles(folder, { [file]: spoil(existsSync(path) ? readFileSync(path, 'utf8') : undefined) });
    return folder;
  };
  const faults = async (args: readonly string[]): Promise<readonly string[]> => {
    const ended = await commands.run(args, space.folder);
    return [...faultsOf(ended), ...(isLate(ended.cpuSeconds, MOST_SECONDS) ? [`${ended.cpuSeconds} s`] : [])];
  };
  const checkpoint = (golden: string): string =>
    golden === 'sound' ? space.path('sound') : join(goldenCheckpoints, golden);

  const bombs = [
    ...tokenizers.map((name) => tokenizerBombs.find((bomb) => bomb.name === `tokenizer.json with ${name}`) ?? name),
    ...[0, 1, 2, 3].map(mixedBomb),
  ].map((bomb) => (typeof bomb === 'string' ? { name: bomb, spoil: () => bomb } : bomb));

  it.each(bombs)('$name', async ({ spoil }) => {
    const text = (sound = '{}') => JSON.stringify(spoil(JSON.parse(sound)));
    const model = spoiled(space.path('sound'), 'tokenizer.json', text);
    expect(await faults(['predict', model, 'a text of words', '--json'])).toEqual([]);
    const folder = spoiled(checkpoint('bert'), 'tokenizer.json', text);
    replaceFiles(folder, plain);
    expect(await faults(['export', folder, space.path('out')])).toEqual([]);
  });

  it.each(settings)('%s', async (name) => {
    const bomb = settingsBombs.find((one) => one.name === name);
    const folder = spoiled(checkpoint(bomb?.golden ?? ''), bomb?.file ?? '', bomb?.spoil ?? String);
    expect(await faults(['export', folder, space.path('out')])).toEqual([]);
  });
});
