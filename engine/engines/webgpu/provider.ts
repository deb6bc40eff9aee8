import { type Lowering, loweringRules } from '../../../graph/lower/index.ts';
import type { Float16 } from '../../engine.ts';
import type { Provider } from '../onnxruntime/provider.ts';

export const onGpu: Provider = { name: 'webgpu', providers: ['webgpu'], location: 'gpu-buffer' };

/**
 * Its products in float16 add up in float16, too: by 512 terms of one sign they are wrong by 2.4 %, by 4,096 by 29 %, of random
 * signs by 0.3 and 1 %.
 */
export const float16: Float16 = { longestSum: 1024 };

/**
 * What ONNX Runtime's kernels for WebGPU want: none of them computes with 64-bit integers, which WGSL does not have. The
 * rules are here because a test on the device shows what each of them avoids (test/engines/webgpu.test.ts).
 */
export const lowering: Lowering = { rules: Object.values(loweringRules), integers: 'int32' };
