import { type Lowering, loweringRules } from '../../../graph/lower/index.ts';
import type { Provider } from '../onnxruntime/provider.ts';

export const onGpu: Provider = { name: 'webgpu', providers: ['webgpu'], location: 'gpu-buffer' };

/**
 * What ONNX Runtime's kernels for WebGPU want: none of them computes with 64-bit integers, which WGSL does not have. The
 * rules are here because a test on the device shows what each of them avoids (test/engines/webgpu.test.ts).
 */
export const lowering: Lowering = { rules: Object.values(loweringRules), integers: 'int32' };
