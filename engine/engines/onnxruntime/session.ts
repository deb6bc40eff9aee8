import { refusalOf } from '../../../ground/errors.ts';
import type { CompileOptions, Program } from '../../engine.ts';
import type { Traffic } from '../traffic.ts';
import * as ort from './native.ts';
import { OrtProgram } from './program.ts';
import { onHost, type Provider } from './provider.ts';

/** What the native library prints goes straight to the terminal, names of a stranger's nodes and all; errors are thrown as well. */
const LOG_NOTHING = 4;

/**
 * What holds the values of a run. Without a pool, memory of a run goes back to the system; without packing, and without the
 * transposed copies that folding makes for gradients, weights stay as their file has them.
 */
const memories: Readonly<Record<NonNullable<CompileOptions['memory']>, ort.InferenceSession.SessionOptions>> = {
  planned: {},
  pooled: { enableMemPattern: false },
  returned: {
    enableCpuMemArena: false,
    enableMemPattern: false,
    extra: {
      session: { disable_prepacking: '1' },
      optimization: { disable_specified_optimizers: 'ConstantFolding' },
    },
  },
};

/** The runtime's own settings, which options have no name for. */
interface Extra {
  readonly session?: Readonly<Record<string, string>>;
  readonly optimization?: { readonly disable_specified_optimizers: string };
}

/** Merges equal nodes, whichever place of the graph they stand at. */
const MERGING = 'CommonSubexpressionElimination';

const merged = (
  memory: ort.InferenceSession.SessionOptions,
  { fallback, repeats }: CompileOptions,
  provider: Provider,
): ort.InferenceSession.SessionOptions => {
  const { session, optimization, ...extra }: Extra = memory.extra ?? {};
  const refuses = fallback === 'refused' && provider !== onHost;
  const disabled = [optimization?.disable_specified_optimizers ?? [], repeats === true ? MERGING : []].flat();
  return {
    ...memory,
    extra: {
      ...extra,
      ...(session !== undefined || refuses
        ? { session: { ...session, ...(refuses ? { disable_cpu_ep_fallback: '1' } : {}) } }
        : {}),
      ...(disabled.length === 0 ? {} : { optimization: { disable_specified_optimizers: disabled.join(';') } }),
    },
  };
};

const sessionOptions = (options: CompileOptions, provider: Provider): ort.InferenceSession.SessionOptions => ({
  executionProviders: [...provider.providers],
  logSeverityLevel: LOG_NOTHING,
  intraOpNumThreads: options.threads,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: options.optimization === 'none' ? 'disabled' : (options.optimization ?? 'all'),
  ...merged(memories[options.memory ?? 'planned'], options, provider),
  ...(provider.location === 'cpu' || options.stays === undefined
    ? {}
    : { preferredOutputLocation: Object.fromEntries(options.stays.map((name) => [name, provider.location])) }),
  ...(options.optimizedFile === undefined ? {} : { optimizedModelFilePath: options.optimizedFile }),
  ...(options.profilePrefix === undefined ? {} : { enableProfiling: true, profileFilePrefix: options.profilePrefix }),
});

/** What the runtime says of a graph is a refusal of it. */
const rejected = (error: unknown): never => {
  throw refusalOf(error);
};

/**
 * Loads an ONNX file as a program of this process. Knows nothing of graphs, so that a process that only times or loads a
 * file carries the runtime and no more.
 */
export const openFile = async (
  file: string,
  options: CompileOptions,
  provider: Provider = onHost,
  traffic?: Traffic,
): Promise<Program> =>
  new OrtProgram(await ort.InferenceSession.create(file, sessionOptions(options, provider)).catch(rejected), traffic);

/** A weight that a model's bytes refer to by `path`. */
export interface WeightFile {
  readonly path: string;
  readonly data: Uint8Array;
}

/** A session of the bytes of such a file, for whoever feeds it himself. */
export const openSession = (
  bytes: Uint8Array,
  options: CompileOptions,
  files: readonly WeightFile[],
  provider: Provider,
): Promise<ort.InferenceSession> =>
  ort.InferenceSession.create(bytes, { ...sessionOptions(options, provider), externalData: files }).catch(rejected);

/**
 * A program of such bytes, and of weights that lie beside them in memory. The session copies each weight once; inside of
 * the bytes they would be copied three times.
 */
export const openBytes = async (
  bytes: Uint8Array,
  options: CompileOptions,
  files: readonly WeightFile[] = [],
  provider: Provider = onHost,
  traffic?: Traffic,
): Promise<Program> => new OrtProgram(await openSession(bytes, options, files, provider), traffic);
