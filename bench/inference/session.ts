import type { TokenMatrix } from '../../data/batches.ts';
import * as ort from '../../engine/native.ts';
import type { ModelInfo } from '../../models/model.ts';

/** An opened file. */
export interface Runner {
  run(tokens: TokenMatrix): Promise<Float32Array>;
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
    run: async ({ ids, mask, dims }) => {
      const { inputs } = info;
      const results = await session.run({
        [inputs.ids]: new ort.Tensor('int64', ids, dims),
        [inputs.mask]: new ort.Tensor('int64', mask, dims),
        // Single texts: every token is of the first.
        ...(inputs.types === undefined
          ? {}
          : { [inputs.types]: new ort.Tensor('int64', new BigInt64Array(ids.length), dims) }),
      });
      const data = results[info.output]?.data;
      if (data instanceof Float32Array) return data;
      throw new Error(`${path} gave no float32 output '${info.output}'`);
    },
    close: () => session.release(),
  };
};
