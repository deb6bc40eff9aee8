import { readFileSync } from 'node:fs';
import { GraphBuilder } from '../../../graph/builder.ts';
import { messageOf } from '../../../ground/errors.ts';
import { Traffic } from '../traffic.ts';
import { openGraph } from './open.ts';
import type { Provider } from './provider.ts';

/** The process that tries a provider: what its driver does to a process, and prints, stays there. */
const square = () => {
  const builder = new GraphBuilder('probe');
  const x = builder.input('x', 'float32', [2]);
  return builder.freeze([builder.op('Mul', [x, x], {}, 'y')]);
};

const tried = async (provider: Provider): Promise<string | null> => {
  try {
    const program = await openGraph(
      square(),
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

process.on('disconnect', () => process.exit());
process.on('message', (provider: Provider) => {
  void tried(provider).then((problem) =>
    process.send?.({ problem, libraries: librariesHere() }, () => process.exit(0)),
  );
});
