import type { HookState } from '../../engine/train-request.ts';
import type { Plane } from './plane.ts';
import type { Weight } from './saliencies/saliency.ts';

interface Mask {
  /** What a masked number was; 0 elsewhere. */
  readonly waiting: Float32Array;
  /** 1 where a number is masked. */
  readonly masked: Uint8Array;
  /** Room for the two together. */
  readonly whole: Float32Array;
}

/** Masks that may open again. The weights that are trained are the masked ones; what a masked number was waits here. */
export class Masks {
  readonly #masks: ReadonlyMap<string, Mask>;

  constructor(weights: readonly { readonly name: string; readonly plane: Plane }[]) {
    this.#masks = new Map(
      weights.map(({ name, plane: { rows, width } }) => {
        const floats = () => new Float32Array(rows * width);
        return [name, { waiting: floats(), masked: new Uint8Array(rows * width), whole: floats() }];
      }),
    );
  }

  /** All there is to know, for checkpoints. */
  get state(): HookState {
    return Object.fromEntries(
      Array.from(this.#masks, ([name, { waiting, masked }]) => [
        [`${name}/waiting`, waiting] as const,
        [`${name}/masked`, masked] as const,
      ]).flat(),
    );
  }

  /** The weight as it would be without its mask; until the next look at it. */
  whole(weight: Weight): Weight {
    const mask = this.#masks.get(weight.name);
    if (mask === undefined) return weight;
    const { waiting, whole } = mask;
    // One of the two is 0.
    for (let i = 0; i < whole.length; i++) whole[i] = (weight.data[i] as number) + (waiting[i] as number);
    return { ...weight, data: whole };
  }

  /** Masks what is gone (1), and gives back what is no more. */
  put({ name, data }: Weight, gone: Uint8Array): void {
    const mask = this.#masks.get(name);
    if (mask === undefined) throw new Error(`'${name}' has no mask`);
    const { waiting, masked } = mask;
    for (let i = 0; i < gone.length; i++) {
      if (gone[i] === masked[i]) continue;
      const closes = gone[i] === 1;
      const was = waiting[i] as number;
      waiting[i] = closes ? (data[i] as number) : 0;
      data[i] = closes ? 0 : was;
      masked[i] = gone[i] as number;
    }
  }
}
