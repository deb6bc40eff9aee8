import type { Program } from '../../engine/engine.ts';
import { openFile } from '../../engine/engines/onnxruntime/session.ts';
import type { OnEngine } from './orders.ts';

/** Does what comes before a file is loaded, and says how to load it: that is what a clock is for. */
type Prepare = (file: string, threads: number) => Promise<() => Promise<Program>>;

const onHost: Prepare = async (file, threads) => () => openFile(file, { threads, optimization: 'all' });

/**
 * How files are loaded on an engine. On the CPU a process that measures holds the runtime and nothing else, as a client's
 * does; other engines compile graphs, which are read first.
 */
export const preparing = async ({ engine, device }: OnEngine): Promise<Prepare> =>
  engine === undefined ? onHost : (await import('./device.ts')).onDevice(engine, device);
