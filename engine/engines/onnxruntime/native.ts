import './telemetry.ts';

/** ONNX Runtime with its telemetry switched off. Nobody else imports the library, or it would be on. */
export { env, InferenceSession, Tensor } from 'onnxruntime-node';
