import { isMainThread } from 'node:worker_threads';

/** What ONNX Runtime reads when a process opens its first session. */
const SWITCH = 'ORT_DISABLE_TELEMETRY';

// In a worker thread the environment is a copy that native code never sees: only what it began with tells what is set.
if (!isMainThread && process.env[SWITCH] !== '1') {
  throw new Error(
    `decant was loaded in a worker thread, where it cannot switch off the telemetry of ONNX Runtime; set ${SWITCH}=1 in the process before the thread starts`,
  );
}

// A user's own value is overwritten, for nothing that decant does leaves the machine.
process.env[SWITCH] = '1';
