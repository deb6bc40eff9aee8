import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { compiledRig } from '../rig/build.ts';

const SWITCH = 'ORT_DISABLE_TELEMETRY';

/** What a worker thread with such an environment says after it has loaded the runtime. */
const loadedInThread = (env: Readonly<Record<string, string>>): Promise<string> => {
  const script = `import(process.argv[2]).then(() => require('node:worker_threads').parentPort.postMessage('loaded'))`;
  const worker = new Worker(script, { eval: true, argv: [`${compiledRig}/engine/engines/onnxruntime/native.js`], env });
  return new Promise((resolve) => {
    worker.on('message', (message) => resolve(String(message)));
    worker.on('error', ({ message }) => resolve(message));
  });
};

describe('the switch of the telemetry', () => {
  it('refuses a worker thread, whose environment native code does not see', async () => {
    const refusal = /worker thread.* telemetry .*set ORT_DISABLE_TELEMETRY=1 in the process before the thread starts/;
    for (const env of [{}, { [SWITCH]: '0' }, { [SWITCH]: '' }]) {
      expect(await loadedInThread(env)).toMatch(refusal);
    }
  });

  it('lets a worker thread of a process pass that was started with it', async () => {
    expect(await loadedInThread({ [SWITCH]: '1' })).toBe('loaded');
  });
});
