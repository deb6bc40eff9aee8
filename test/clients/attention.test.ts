import { env, pipeline } from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientOptions } from '../../models/precision.ts';
import { attentionConfig } from '../../stages/attention/config.ts';
import { changed } from '../../stages/attention/work.ts';
import { workspace } from '../rig/workspace.ts';
import { bestOf, clientModel, exportInto, ownOutputs, ROUNDING, texts } from './rig.ts';

const space = workspace();
beforeAll(() => {
  env.allowRemoteModels = false;
});
afterAll(() => space[Symbol.dispose]());

/** Of rows of blocks, of blocks in pieces, and of features: texts are shorter and longer than what they fill up. */
const cases = [{ kind: 'global-window', width: 3, global: 2 }, { kind: 'hierarchical', width: 3 }, { kind: 'linear' }];

describe('transformers.js runs other attention as decant does, texts alone and in a batch', () => {
  it.each(cases)('$kind', async (given) => {
    const model = changed(clientModel('text-classification'), attentionConfig.parse(given), 1);
    const folder = await exportInto(space.path(given.kind), 'text-classification', model, ['fp32']);
    const own = (await ownOutputs(folder, 'fp32', texts)).map(([row = []]) => bestOf(row).score);
    const run = await pipeline('text-classification', folder, clientOptions('fp32'));
    const alone: number[] = [];
    for (const text of texts) alone.push(...[await run(text)].flat(2).map(({ score }) => score));
    const together = [await run([...texts])].flat(2).map(({ score }) => score);
    await run.dispose();
    for (const said of [alone, together]) {
      expect(said.length).toBe(own.length);
      for (const [i, score] of own.entries()) expect(Math.abs((said[i] ?? Number.NaN) - score)).toBeLessThan(ROUNDING);
    }
  });
});
