import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/rig/build.ts',
    // Vitest's own default leaves one of two cores idle.
    maxWorkers: '100%',
    // Ends what hangs; a machine with other work on it may take many times as long as an idle one.
    testTimeout: 1_200_000,
    hookTimeout: 1_200_000,
    // transformers.js loads ONNX Runtime by itself, whose telemetry would write and send from every test of a client.
    env: { ORT_DISABLE_TELEMETRY: '1' },
  },
});
