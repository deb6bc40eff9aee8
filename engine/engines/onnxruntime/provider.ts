import type * as ort from './native.ts';

/** A way in which ONNX Runtime runs graphs. */
export interface Provider {
  readonly name: string;
  readonly providers: readonly ort.InferenceSession.ExecutionProviderConfig[];
  /** Where buffers lie, and the outputs that take their place. */
  readonly location: 'cpu' | 'gpu-buffer';
}

export const onHost: Provider = { name: 'cpu', providers: ['cpu'], location: 'cpu' };
