import { concreteView } from '../../../graph/concrete.ts';
import type { Graph } from '../../../graph/graph.ts';
import type { Block } from '../../../models/anatomy/blocks.ts';
import { inFloats } from '../../../models/anatomy/in-floats.ts';
import { layerUnits } from '../../../models/anatomy/units.ts';
import { anatomyOf } from '../../../models/anatomy.ts';
import { isQuantized } from '../../../models/quantized.ts';
import { type CheckRecord, found } from '../check.ts';
import type { Patient } from '../patient.ts';

const range = (numbers: readonly number[]): string => {
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  return least === most ? String(least) : `${least} to ${most}`;
};

/** What is quantized is looked at as the floats that it stands for. */
const viewOf = (patient: Patient): Graph => {
  const { graph } = patient.foreign;
  return isQuantized(graph) ? concreteView(inFloats(graph)) : patient.apart().view;
};

const isAttention = ({ kind }: Block): boolean => kind !== 'feed-forward';

/** Whether there are layers, each with heads, and feed-forward neurons in some of them. */
export const anatomy: CheckRecord = {
  name: 'anatomy',
  needs: ['normalise'],
  run: async (patient) => {
    const view = viewOf(patient);
    const own = anatomyOf(view);
    const layers = own.layers.map((layer) => layerUnits(view, own, layer));
    if (layers.length === 0) return found(false, 'no layer was found: no attention behind a residual sum', 0);
    // A layer whose attention was cut away has none, and is well.
    const headless = layers.findIndex(
      ({ heads, crossHeads }, i) => heads + crossHeads === 0 && own.layers[i]?.blocks.some(isAttention),
    );
    if (headless >= 0) return found(false, `layer ${headless} has no heads that can be told apart`, layers.length);
    if (layers.every(({ ffn }) => ffn === 0)) return found(false, 'no layer has feed-forward neurons', layers.length);
    const [heads, kvHeads] = [layers.map((one) => one.heads), layers.map((one) => one.kvHeads)];
    const shared = heads.join() === kvHeads.join() ? '' : `, ${range(kvHeads)} of keys and values`;
    return found(
      true,
      `layers ${layers.length}, heads ${range(heads)}${shared}, ffn ${range(layers.map(({ ffn }) => ffn))}, hidden ${own.layers[0]?.inputWidth}`,
      layers.length,
    );
  },
};
