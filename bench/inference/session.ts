import type { Feeds } from '../../engine/engine.ts';
import * as ort from '../../engine/engines/onnxruntime/native.ts';
import type { ModelInfo } from '../../models/model.ts';
import { answerName } from '../../models/signature.ts';

/** An opened file. */
export interface Runner {
  run(feeds: Feeds): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Opens a file as any user of ONNX Runtime would: every optimization at load, CPU only. */
export const open = async (path: string, info: ModelInfo, threads: number): Promise<Runner> => {
  const session = await ort.InferenceSession.create(path, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  return {
    run: async (feeds) => {
      const tensors = Object.entries(feeds).map(
        ([name, { data, dims }]) => [name, new ort.Tensor('int64', data, dims)] as const,
      );
      const results = await session.run(Object.fromEntries(tensors));
      const output = answerName(info.signature);
      const data = results[output]?.data;
      if (data instanceof Float32Array) return data;
      throw new Error(`${path} gave no float32 output '${output}'`);
    },
    close: () => session.release(),
  };
};
