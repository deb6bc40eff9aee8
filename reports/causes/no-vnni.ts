import type { Machine } from '../../data/cpu.ts';
import type { ModelProfile } from '../../data/profile.ts';
import { splitOf } from '../split.ts';
import { type Cause, isInteger, timeOf } from './cause.ts';

/** Instruction sets that multiply 8-bit numbers four at a time, by architecture. */
const wanted: Readonly<Record<string, readonly string[]>> = {
  x64: ['avx512_vnni', 'avx_vnni', 'amx_int8'],
  arm64: ['asimddp', 'i8mm'],
};

/** Instruction sets that this machine lacks; undefined where it has one of them or does not tell what it has. */
const lacking = ({ architecture, cpuFlags }: Machine): readonly string[] | undefined => {
  const sets = wanted[architecture];
  if (sets === undefined || cpuFlags.length === 0) return undefined;
  return sets.some((set) => cpuFlags.includes(set)) ? undefined : sets;
};

/** What products take of the time: the most that other instructions could change. */
const productShare = (model: ModelProfile): number | null => {
  const [full, split] = [timeOf(model, 'full'), splitOf(model)];
  if (full === undefined || split === undefined) return null;
  const share = (split['products, in float32'] + split['products, what 8 bits change']) / full;
  return Number.isFinite(share) ? share : null;
};

/** 8-bit products on a CPU without instructions for them. */
export const noVnni: Cause = {
  name: 'no-vnni',
  about: 'time',
  looksAt: 'instruction sets of the CPU where a model multiplies in 8 bits; the share is the time of all products',
  advice: 'measure on the CPU that will run the model; without VNNI use reduceRange, since 8-bit products can overflow',
  advise: ({ quantizedWith }) =>
    quantizedWith.has('reduceRange')
      ? 'measure on the CPU that will run the model; its weights keep to 7 bits already (reduceRange), so that products do not overflow'
      : noVnni.advice,
  find: ({ model, profile: { machine } }) => {
    const sets = lacking(machine);
    const integers = model.products.filter(isInteger);
    if (sets === undefined || integers.length === 0) return undefined;
    return {
      finding: `${machine.cpu} has no instructions for 8-bit products`,
      evidence: `none of ${sets.join(', ')}; it has ${machine.cpuFlags.join(', ')}; ${integers.length} products are in 8 bits`,
      share: productShare(model),
    };
  },
};
