import type { Artifact, Digest } from '../../ground/artifact.ts';
import type { Progress } from '../../ground/progress.ts';
import type { ReadyStep } from '../plan/plan.ts';
import type { Fingerprint } from '../store/record.ts';

/** Everything a process needs to run one step: plain JSON. */
export interface Order {
  readonly pipeline: string;
  readonly step: ReadyStep;
  readonly key: Digest;
  readonly fingerprint: Fingerprint;
  readonly inputs: Readonly<Record<string, Artifact>>;
  /** Root of the store. */
  readonly store: string;
  readonly seed: number;
  readonly threads: number;
  readonly base: string;
  /** The network is forbidden. */
  readonly offline: boolean;
  /** Module that exports `stages`. */
  readonly module: string;
}

/** How a step ended. `theirs` failures are the user's to mend: their message is enough. `code` is the stable name of the problem. */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'aborted' }
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly theirs: boolean;
      readonly message: string;
      readonly detail: string;
    };

/** What the process of a step tells its parent. */
export type Report =
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'log'; readonly message: string }
  | { readonly type: 'outcome'; readonly outcome: Outcome };

/** What the parent tells it. */
export type Command = { readonly type: 'start'; readonly order: Order } | { readonly type: 'abort' };
