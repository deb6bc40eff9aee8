import type { OpDef } from '../op.ts';

/** Every operator decant knows, one record each. The newest record whose `since` fits the graph's opset is used. */
export const ops: readonly OpDef[] = [];

const byName = new Map<string, OpDef[]>();
for (const op of ops) {
  const key = `${op.domain}:${op.op}`;
  byName.set(
    key,
    [...(byName.get(key) ?? []), op].sort((a, b) => b.since - a.since),
  );
}

/** The record for an operator at an opset version, or undefined where decant does not know it. */
export const findOp = (domain: string, op: string, opset: number): OpDef | undefined =>
  byName.get(`${domain === 'ai.onnx' ? '' : domain}:${op}`)?.find((record) => record.since <= opset);
