import type { DType, TypedArray } from '../graph/tensor.ts';
import type { CompileOptions, HostTensor, Program } from './engine.ts';
import * as ort from './native.ts';

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

const sessionOptions = (options: CompileOptions): ort.InferenceSession.SessionOptions => ({
  executionProviders: ['cpu'],
  logSeverityLevel: LOG_NOTHING,
  intraOpNumThreads: options.threads,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: options.optimization === 'none' ? 'disabled' : (options.optimization ?? 'all'),
  ...memories[options.memory ?? 'planned'],
  ...(options.optimizedFile === undefined ? {} : { optimizedModelFilePath: options.optimizedFile }),
  ...(options.profilePrefix === undefined ? {} : { enableProfiling: true, profileFilePrefix: options.profilePrefix }),
});

type Numeric = Exclude<ort.Tensor.Type, 'string'>;

/** The types that cross the border between JavaScript and the session. */
const crossing: Readonly<Partial<Record<DType, Numeric>>> = {
  float32: 'float32',
  float64: 'float64',
  float16: 'float16',
  int8: 'int8',
  int16: 'int16',
  int32: 'int32',
  int64: 'int64',
  uint8: 'uint8',
  uint16: 'uint16',
  uint32: 'uint32',
  uint64: 'uint64',
  bool: 'bool',
  int4: 'int4',
  uint4: 'uint4',
};

/** A session tensor over the same memory. */
const toSession = (name: string, tensor: HostTensor): ort.Tensor => {
  const type = crossing[tensor.dtype];
  if (type === undefined) throw new TypeError(`'${name}' is ${tensor.dtype}, which cannot be fed to ONNX Runtime`);
  try {
    return new ort.Tensor(type, tensor.data, tensor.dims);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TypeError(`'${name}' is no ${tensor.dtype} tensor of [${tensor.dims.join(', ')}]: ${reason}`);
  }
};

/** The elements as decant holds them: float16 as raw 16-bit words, whatever the Node version offers. */
const elementsOf = (name: string, tensor: ort.Tensor): TypedArray => {
  const { data } = tensor;
  if (!ArrayBuffer.isView(data)) throw new TypeError(`output '${name}' is ${tensor.type}, expected numbers`);
  return tensor.type === 'float16' ? new Uint16Array(data.buffer, data.byteOffset, data.length) : (data as TypedArray);
};

const fromSession = (name: string, tensor: ort.Tensor): HostTensor => {
  if (tensor.type === 'string') throw new TypeError(`output '${name}' holds text, expected numbers`);
  return { dtype: tensor.type, dims: tensor.dims, data: elementsOf(name, tensor) };
};

const convert = (tensors: Readonly<Record<string, HostTensor>>): Record<string, ort.Tensor> => {
  const converted: Record<string, ort.Tensor> = {};
  for (const name in tensors) {
    const tensor = tensors[name];
    if (tensor !== undefined) converted[name] = toSession(name, tensor);
  }
  return converted;
};

class OrtProgram implements Program {
  readonly #session: ort.InferenceSession;
  #released: Promise<void> | undefined;

  constructor(session: ort.InferenceSession) {
    this.#session = session;
  }

  async run(
    feeds: Readonly<Record<string, HostTensor>>,
    into?: Readonly<Record<string, HostTensor>>,
  ): Promise<Readonly<Record<string, HostTensor>>> {
    if (this.#released !== undefined) throw new Error('the program was released');
    const fetches: Record<string, ort.Tensor | null> = into === undefined ? {} : convert(into);
    for (const name of this.#session.outputNames) fetches[name] ??= null;
    const results = await this.#session.run(convert(feeds), fetches);
    const outputs: Record<string, HostTensor> = {};
    for (const name of this.#session.outputNames) {
      const result = results[name];
      if (result !== undefined) outputs[name] = into?.[name] ?? fromSession(name, result);
    }
    return outputs;
  }

  release(): Promise<void> {
    this.#released ??= this.#session.release();
    return this.#released;
  }
}

/**
 * Loads an ONNX file as a program of this process. Knows nothing of graphs, so that a process that only times or loads a
 * file carries the runtime and no more.
 */
export const openFile = async (file: string, options: CompileOptions): Promise<Program> =>
  new OrtProgram(await ort.InferenceSession.create(file, sessionOptions(options)));

/** A weight that a model's bytes refer to by `path`. */
export interface WeightFile {
  readonly path: string;
  readonly data: Uint8Array;
}

/**
 * The same for the bytes of such a file, and weights that lie beside it in memory. The session copies each weight once;
 * inside of the bytes they would be copied three times.
 */
export const openBytes = async (
  bytes: Uint8Array,
  options: CompileOptions,
  files: readonly WeightFile[] = [],
): Promise<Program> => {
  const all = { ...sessionOptions(options), externalData: files };
  return new OrtProgram(await ort.InferenceSession.create(bytes, all));
};
