import type { Provider } from '../onnxruntime/provider.ts';

/** The binding for Node keeps no tensors on a device of CUDA: buffers lie in host memory, and every run copies them. */
export const onCuda: Provider = { name: 'cuda', providers: ['cuda'], location: 'cpu' };
