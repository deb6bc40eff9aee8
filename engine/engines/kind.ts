import type { Engine } from '../engine.ts';

/** A device as its driver calls it. */
export interface Device {
  readonly name: string;
  /** Bytes, where the driver tells. */
  readonly memory?: number;
  readonly driver?: string;
  /** It computes in float16, too. */
  readonly float16?: true;
  /** It computes on the processor, as drivers for tests do: used where it is asked for by name, never by itself. */
  readonly software?: true;
}

/** What of an engine is there on this machine, or what is missing and the line that would bring it. */
export type Found =
  | {
      readonly device: Device;
      /** Versions of what computes: with the device's name, part of the key of everything that is computed there. */
      readonly facts: Readonly<Record<string, string>>;
    }
  | { readonly missing: string; readonly install?: string };

/** One engine: a line of engines/index.ts. Nothing of its runtime is loaded before it is asked for. */
export interface EngineKind {
  /** As files, reports and the command line write it. */
  readonly name: string;
  /** One line for help and docs. */
  readonly summary: string;
  find(): Promise<Found>;
  /** Throws where it is not there after all. The device is not looked for by a process that was told it. */
  open(device?: Device): Promise<Engine>;
}
