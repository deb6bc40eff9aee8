import { readFileSync } from 'node:fs';
import { answerOnce } from '../../../data/process.ts';
import { GraphBuilder } from '../../../graph/builder.ts';
import { dtypeNumber } from '../../../graph/ops/shared-structure.ts';
import { messageOf } from '../../../ground/errors.ts';
import { Traffic } from '../traffic.ts';
import { openGraph } from './open.ts';
import type { Said } from './probe.ts';
import type { Provider } from './provider.ts';

/** The process that tries a provider: what its driver does to a process, and prints, stays there. */
const square = (dtype: 'float32' | 'float16') => {
  const builder = new GraphBuilder('probe');
  const x = builder.input('x', 'float32', [2]);
  const own = builder.op('Cast', [x], { to: dtypeNumber(dtype) });
  const y = builder.op('Mul', [own, own]);
  return builder.freeze([builder.op('Cast', [y], { to: dtypeNumber('float32') }, 'y')]);
};

const tried = async (provider: Provider, dtype: 'float32' | 'float16'): Promise<string | null> => {
  try {
    const program = await openGraph(
      square(dtype),
      { threads: 1, optimization: 'none', fallback: 'refused' },
      { provider, traffic: new Traffic() },
    );
    const { y } = await program.run({ x: { dtype: 'float32', dims: [2], data: Float32Array.of(2, 3) } });
    const [four, nine] = y?.data ?? [];
    return four === 4 && nine === 9 ? null : `it gives ${four} and ${nine} as the squares of 2 and 3`;
  } catch (error) {
    return messageOf(error);
  }
};

/** Files of drivers that this process has in its memory, where the system tells. */
const librariesHere = (): readonly string[] => {
  try {
    const files = readFileSync('/proc/self/maps', 'utf8').matchAll(/\/(\S*\/)?([^\s/]*\.so[^\s/]*)$/gm);
    return [...new Set([...files].map(([, , name]) => name ?? ''))];
  } catch {
    return [];
  }
};

answerOnce(async (provider: Provider): Promise<Said> => {
  const problem = await tried(provider, 'float32');
  const float16 = problem === null && (await tried(provider, 'float16')) === null;
  return { problem, float16, libraries: librariesHere() };
});
