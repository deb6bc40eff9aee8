import type { onnx } from 'onnx-proto';
import type { HostileGraph } from './graphs.ts';
import { body, FLOAT, floats, graphOf, int, ints, node, tensorAttribute, typed, withMiddle } from './proto.ts';

const mode = (on: boolean, name = 'mode'): onnx.ITensorProto => ({
  ...{ name, dims: [], dataType: 9 },
  rawData: Uint8Array.of(Number(on)),
});
const half = floats('half', [], [0.5]);

/** What was drawn, added to what the model would say. */
const added = (drawn: readonly onnx.INodeProto[], weights: readonly onnx.ITensorProto[] = []): Buffer =>
  withMiddle([...drawn, node('Add', ['pooled', 'drawn'], ['changed'])], { weights });

const bernoulli = node('Bernoulli', ['share'], ['drawn']);
const branch = (made: onnx.INodeProto): onnx.IGraphProto =>
  graphOf({ inputs: [], nodes: [made], outputs: [typed('made', FLOAT, ['batch', 1])] });

/** Models that answer otherwise each time they are asked. */
export const chances: readonly HostileGraph[] = [
  { name: 'RandomNormal', bytes: () => added([node('RandomNormal', [], ['drawn'], { shape: ints(1, 1) })]) },
  { name: 'RandomNormalLike', bytes: () => added([node('RandomNormalLike', ['pooled'], ['drawn'])]) },
  { name: 'RandomUniform', bytes: () => added([node('RandomUniform', [], ['drawn'], { shape: ints(1, 1) })]) },
  { name: 'RandomUniformLike', bytes: () => added([node('RandomUniformLike', ['pooled'], ['drawn'])]) },
  { name: 'Bernoulli', bytes: () => added([node('Sigmoid', ['pooled'], ['share']), bernoulli]) },
  {
    name: 'Multinomial',
    bytes: () =>
      added([
        node('Concat', ['pooled', 'pooled'], ['two'], { axis: int(1) }),
        node('Multinomial', ['two'], ['picked']),
        node('Cast', ['picked'], ['drawn'], { to: int(FLOAT) }),
      ]),
  },
  {
    name: 'Dropout in training mode',
    bytes: () => added([node('Dropout', ['pooled', 'half', 'mode'], ['drawn'])], [half, mode(true)]),
  },
  {
    name: 'Dropout in a training mode that is computed',
    bytes: () =>
      added(
        [node('Not', ['mode'], ['other']), node('Dropout', ['pooled', 'half', 'other'], ['drawn'])],
        [half, mode(false)],
      ),
  },
  {
    name: 'RandomNormalLike inside an If',
    bytes: () =>
      added(
        [
          node('If', ['mode'], ['drawn'], {
            then_branch: body(branch(node('RandomNormalLike', ['pooled'], ['made']))),
            else_branch: body(branch(node('Identity', ['pooled'], ['made']))),
          }),
        ],
        [mode(true)],
      ),
  },
];

/** Models that look like those, and always answer alike. */
export const certainties: readonly HostileGraph[] = [
  { name: 'Dropout', bytes: () => added([node('Dropout', ['pooled', 'half'], ['drawn'])], [half]) },
  {
    name: 'Dropout out of training mode',
    bytes: () => added([node('Dropout', ['pooled', 'half', 'mode'], ['drawn'])], [half, mode(false)]),
  },
  {
    name: 'Dropout whose mode is a node, or of the graph around it',
    bytes: () =>
      added(
        [
          node('Constant', [], ['written'], { value: tensorAttribute(mode(false, 'value')) }),
          node('Dropout', ['pooled', 'half', 'written'], ['kept']),
          node('If', ['mode'], ['drawn'], {
            then_branch: body(branch(node('Dropout', ['kept', 'half', 'written'], ['made']))),
            else_branch: body(branch(node('Dropout', ['kept', 'half', 'mode'], ['made']))),
          }),
        ],
        [half, mode(false)],
      ),
  },
];
