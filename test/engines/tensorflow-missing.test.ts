import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tensorflow } from '../../engine/engines/tensorflow/index.ts';
import { FOLDER_VARIABLE } from '../../engine/engines/tensorflow/packages.ts';
import { messageOf } from '../../ground/errors.ts';
import { workspace } from '../rig/workspace.ts';
import { claiming, packageIn } from './tensorflow-packages.ts';

const GPU = '@tensorflow/tfjs-node-gpu';
const CPU = '@tensorflow/tfjs-node';
const VERSION = '4.22.0';

const space = workspace();
afterAll(() => space[Symbol.dispose]());
const variables = [FOLDER_VARIABLE, 'NODE_OPTIONS'] as const;
const before = variables.map((name) => process.env[name]);

let packages = 0;

/** A folder that decant looks into, with one package in it. */
const having = (name: string, version: string, code: string): string => {
  const folder = space.path(`packages-${packages++}`);
  process.env[FOLDER_VARIABLE] = folder;
  return packageIn(folder, name, version, code);
};

/** What `find` says, and `open` in other words. */
const told = async () => {
  const found = await tensorflow.find();
  const opened = await tensorflow.open().then(
    () => 'opened',
    (error) => messageOf(error),
  );
  if ('missing' in found) expect(opened).toBe(`the engine tensorflow is not there: ${found.missing}; ${found.install}`);
  return found;
};

describe('TensorFlow.js that is not there', () => {
  beforeEach(() => {
    process.env[FOLDER_VARIABLE] = space.path('empty');
  });
  afterEach(() => {
    for (const [i, name] of variables.entries()) {
      const value = before[i];
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  it('is told with the line that installs it', async () => {
    expect(await told()).toEqual({
      missing: `neither ${GPU} nor ${CPU} is installed (${FOLDER_VARIABLE} names ${space.path('empty')})`,
      install: `npm install ${CPU}@${VERSION}`,
    });
  });

  it.each([GPU, CPU])('is told where %s has another version', async (name) => {
    having(name, '3.21.1', claiming('2.7.0', false));
    expect(await told()).toEqual({
      missing: `found ${name} 3.21.1, expected ${VERSION}`,
      install: `npm install ${name}@${VERSION}`,
    });
  });

  it('is told where the install script made no native part', async () => {
    const reason =
      'The Node.js native addon module (tfjs_binding.node) can not be found at path: /x/tfjs_binding.node. ';
    const folder = having(CPU, VERSION, `throw new Error(${JSON.stringify(`${reason}\nPlease run command ...`)})`);
    expect(await told()).toEqual({
      missing: `${CPU} in ${folder} lacks its native part, so its install script did not run: ${reason}`,
      install: `npm rebuild ${CPU} --build-addon-from-source`,
    });
  });

  it('is told where the system refuses the native part', async () => {
    const folder = having(CPU, VERSION, "require('./broken.node')");
    const found = await told();
    expect(found).toMatchObject({ install: `npm rebuild ${CPU} --build-addon-from-source` });
    expect('missing' in found && found.missing).toContain(`the native part of ${CPU} in ${folder} does not load: `);
    expect('missing' in found && found.missing).toContain('broken.node');
  });

  it('is told where the native part is for another Node', async () => {
    const reason = 'The module was compiled against a different Node.js version using NODE_MODULE_VERSION 72.';
    const folder = having(CPU, VERSION, `throw new Error('${reason}')`);
    expect(await told()).toEqual({
      missing: `the native part of ${CPU} in ${folder} is for another Node than ${process.versions.node}: ${reason}`,
      install: `npm rebuild ${CPU} --build-addon-from-source`,
    });
  });

  it('is told where TensorFlow is too old, or another backend computes', async () => {
    having(CPU, VERSION, claiming('1.15.0', false));
    expect(await told()).toEqual({
      missing: `${CPU} computes by 'tensorflow' on TensorFlow 1.15.0, expected TensorFlow 2.9 or a later 2`,
      install: `npm install ${CPU}@${VERSION}`,
    });
    having(CPU, VERSION, claiming('', false, 'cpu'));
    expect(await told()).toMatchObject({ missing: expect.stringContaining("computes by 'cpu'") });
  });

  it('is told where Node has no function any more that the package calls', async () => {
    having(GPU, VERSION, claiming('2.9.1', false));
    space.write('newer.cjs', "delete require('node:util').isNullOrUndefined;");
    process.env.NODE_OPTIONS = `--require ${space.path('newer.cjs')}`;
    expect(await tensorflow.find()).toEqual({
      missing: `${GPU} ${VERSION} calls util.isNullOrUndefined, which Node has no more since 23, and this is Node ${process.versions.node}`,
      install: 'run decant with Node 20 or 22',
    });
  });

  it('is told where it ends the process that loads it, and decant goes on', async () => {
    having(CPU, VERSION, "console.error('illegal instruction'); process.kill(process.pid, 'SIGKILL'); for (;;);");
    expect(await tensorflow.find()).toEqual({
      missing: `${CPU} ended the process that loaded it (SIGKILL): illegal instruction`,
    });
  });
});

describe('the package of TensorFlow.js for GPUs', () => {
  const words = (line: string): string => `console.error(${JSON.stringify(line)});`;

  it('is taken before the other one, and its GPU is told', async () => {
    const line = 'device:GPU:0 with 39090 MB memory:  -> device: 0, name: NVIDIA A100, pci bus id: 0000:00:04.0';
    having(
      GPU,
      VERSION,
      words(`2029-01-01 I tensorflow/core/gpu_device.cc:1] Created ${line}`) + claiming('2.9.1', true),
    );
    packageIn(process.env[FOLDER_VARIABLE] ?? '', CPU, VERSION, claiming('2.9.1', false));
    expect(await tensorflow.find()).toEqual({
      device: { name: 'NVIDIA A100', memory: 39090 * 1024 ** 2 },
      facts: { package: `${GPU} ${VERSION}`, tensorflow: '2.9.1', device: 'GPU' },
    });
  });

  it('computes on the processor without its libraries, and the device says so', async () => {
    const lines = ['libcudart.so.11.0', 'libcudnn.so.8', 'libcudnn.so.8'].map((library) =>
      words(`2029-01-01 W dso_loader.cc:64] Could not load dynamic library '${library}'; dlerror: no such file`),
    );
    having(GPU, VERSION, lines.join('') + claiming('2.9.1', false));
    const found = await tensorflow.find();
    expect('device' in found && found.device.name).toContain(
      `, since ${GPU} ${VERSION} found no GPU: libcudart.so.11.0, libcudnn.so.8 not found`,
    );
  });
});
