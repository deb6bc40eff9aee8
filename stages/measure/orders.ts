import type { Times, WarmUp } from '../../data/measurements.ts';
import type { Feeds } from '../../engine/engine.ts';
import type { Device } from '../../engine/engines/kind.ts';

/** A model, or the reference kernel, as a process that measures gets it. */
export interface Subject {
  /** What messages call it. */
  readonly name: string;
  /** Path of its ONNX file, after the fusions for inference. */
  readonly file: string;
  /** By cell of the grid; null where it takes no text so long. The first is there. */
  readonly feeds: readonly (Feeds | null)[];
}

/** Where an order is carried out. */
export interface OnEngine {
  /** The engine that computes; absent for the CPU. */
  readonly engine?: string;
  /** What it computes on, so that no process has to look for it again. */
  readonly device?: Device;
}

/** Times several models together, a share of all rounds. */
export interface TimeOrder extends OnEngine {
  readonly type: 'time';
  readonly threads: number;
  readonly rounds: number;
  readonly subjects: readonly Subject[];
}

/** Loads one file and runs it once. */
export interface LoadOrder extends OnEngine {
  readonly type: 'load';
  readonly threads: number;
  readonly subject: Pick<Subject, 'name' | 'file'> & { readonly feeds: Feeds };
}

/** Looks what of several files an engine cannot compute. */
export interface LookOrder extends Required<OnEngine> {
  readonly type: 'look';
  readonly threads: number;
  readonly subjects: readonly LoadOrder['subject'][];
}

export type Order = TimeOrder | LoadOrder | LookOrder;

export interface Timed {
  /** How often the process was made to leave its processor. */
  readonly switches: number;
  /** By subject. */
  readonly times: readonly Times[];
  /** By subject and cell. */
  readonly warmUp: readonly (readonly WarmUp[])[];
}

export interface Loaded {
  readonly sessionMs: number;
  readonly firstRunMs: number;
  readonly peakBytes: number;
  /** Share of both times in which the process had no processor. */
  readonly waited: number;
}

/** What a process that measures says. `at` names what it is busy with, for the case that it says nothing more. */
export type Report =
  | { readonly type: 'at'; readonly name: string }
  | { readonly type: 'round'; readonly done: number }
  | { readonly type: 'timed'; readonly timed: Timed }
  | { readonly type: 'loaded'; readonly loaded: Loaded }
  /** Operators that the engine has no kernel for, by subject. */
  | { readonly type: 'looked'; readonly lacking: readonly (readonly string[])[] }
  /** `theirs`: it is the user's to mend. */
  | { readonly type: 'failed'; readonly message: string; readonly theirs: boolean };
