import { writeFileSync } from 'node:fs';

/** A safetensors file with whatever header is asked for, true or not. */
export const safetensors = (header: unknown, data: Uint8Array = new Uint8Array(), announced?: bigint): Buffer => {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(announced ?? BigInt(text.length));
  return Buffer.concat([length, text, data]);
};

export const writeSafetensors = (path: string, ...parts: Parameters<typeof safetensors>): void =>
  writeFileSync(path, safetensors(...parts));
