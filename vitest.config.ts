import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/rig/build.ts',
    // Vitest's own default leaves one of two cores idle.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // transformers.js loads ONNX Runtime by itself, whose telemetry would write and send from every test of a client.
    env: { ORT_DISABLE_TELEMETRY: '1' },
  },
});
