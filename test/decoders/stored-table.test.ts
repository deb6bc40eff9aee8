import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readGraph } from '../../graph/codec/index.ts';
import { rolesOf } from '../../models/bare/index.ts';
import { onnxFile } from '../../models/precision.ts';
import { exportInto } from '../clients/rig.ts';
import { workspace } from '../rig/workspace.ts';
import { tinyDecoder } from './tiny.ts';

const space = workspace();
afterAll(() => space[Symbol.dispose]());

it('a decoder whose table of tokens is kept in 8 bits and scores them, too, is known by what it reads', async () => {
  const folder = await exportInto(space.folder, 'tied', tinyDecoder(), ['fp32', 'q8']);
  const roles = async (precision: 'fp32' | 'q8') =>
    rolesOf(await readGraph(join(folder, onnxFile(precision)))).inputs.map(({ name, role }) => [name, role]);
  const whole = await roles('fp32');
  expect(whole.slice(0, 3).map(([, role]) => role)).toEqual(['tokens', 'mask', 'positions']);
  expect(await roles('q8')).toEqual(whole);
});
