import { defineConfig } from 'vitest/config';

/** Rooms of functions that keep nothing between calls and start no process: their files share a worker, which loads a module once. */
const together = ['data', 'graph', 'ground', 'models', 'reports'].map((room) => `test/${room}/**/*.test.ts`);

export default defineConfig({
  test: {
    globalSetup: 'test/rig/build.ts',
    // Vitest's own default leaves one of two cores idle.
    maxWorkers: '100%',
    // Ends what hangs; a machine with other work on it may take many times as long as an idle one.
    testTimeout: 1_200_000,
    hookTimeout: 1_200_000,
    // transformers.js loads ONNX Runtime by itself, whose telemetry would write and send from every test of a client.
    env: { ORT_DISABLE_TELEMETRY: '1' },
    projects: [
      { extends: true, test: { name: 'together', include: together, isolate: false } },
      { extends: true, test: { name: 'apart', include: ['test/**/*.test.ts'], exclude: together } },
    ],
  },
});
