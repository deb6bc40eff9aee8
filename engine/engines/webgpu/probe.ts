import { readFileSync } from 'node:fs';
import { GraphBuilder } from '../../../graph/builder.ts';
import { messageOf } from '../../../ground/errors.ts';
import { openGraph } from '../onnxruntime/open.ts';
import { Traffic } from '../traffic.ts';
import { onGpu } from './provider.ts';

/** What a process that tried the adapter says. */
export type Probed = { readonly libraries: readonly string[] } | { readonly error: string };

/** 1 + 2 on the adapter and nowhere else. */
const sum = async (): Promise<number> => {
  const builder = new GraphBuilder('probe');
  const [a, b] = ['a', 'b'].map((name) => builder.input(name, 'float32', [1]));
  if (a === undefined || b === undefined) throw new Error('two numbers are there');
  const graph = builder.freeze([builder.op('Add', [a, b], {}, 'sum')]);
  const program = await openGraph(
    graph,
    { threads: 1, fallback: 'refused' },
    { provider: onGpu, traffic: new Traffic() },
  );
  const number = (x: number) => ({ dtype: 'float32', dims: [1], data: Float32Array.of(x) }) as const;
  const outputs = await program.run({ a: number(1), b: number(2) });
  await program.release();
  return Number(outputs.sum?.data[0]);
};

/** Files of drivers that this process has in its memory, where the system tells. */
const librariesHere = (): readonly string[] => {
  try {
    const files = readFileSync('/proc/self/maps', 'utf8').matchAll(/\/\S*\/(\S*\.so\S*)$/gm);
    return [...new Set([...files].map(([, name]) => name ?? ''))];
  } catch {
    return [];
  }
};

const probed = async (): Promise<Probed> => {
  try {
    const found = await sum();
    return found === 3 ? { libraries: librariesHere() } : { error: `the adapter computes 1 + 2 = ${found}` };
  } catch (error) {
    return { error: messageOf(error) };
  }
};

process.send?.(await probed(), () => process.exit(0));
