import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decant } from '../rig/cli.ts';
import { soundFolder } from '../rig/hostile/folder.ts';
import { workspace } from '../rig/workspace.ts';

const space = workspace();
beforeAll(() => soundFolder(space.path('model')));
afterAll(() => space[Symbol.dispose]());

const predict = (input: Uint8Array) => decant(['predict', 'model', '--json'], { cwd: space.folder, input });

describe('predict reads standard input as files of data are read', () => {
  it.each([
    ['UTF-16', Buffer.from('\ufefflion tiger\r\ntrain\r\n', 'utf16le')],
    ['UTF-8 with a mark, packed', gzipSync('\ufefflion tiger\ntrain')],
  ])('in %s', async (_, input) => {
    const { code, stdout } = await predict(input);
    const answers: readonly { readonly text: string }[] = JSON.parse(stdout);
    expect([code, answers.map(({ text }) => text)]).toEqual([0, ['lion tiger', 'train']]);
  });

  it('and refuses what is no text by its line', async () => {
    const { code, stdout } = await predict(Buffer.from('lion\ncaf\xe9\n', 'latin1'));
    expect([code, JSON.parse(stdout).error.message]).toEqual([
      2,
      expect.stringMatching(/^standard input:2: the bytes are not UTF-8, but most likely Latin-1 or Windows-1252/),
    ]);
  });
});
