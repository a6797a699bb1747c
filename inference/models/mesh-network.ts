import { halfToNumber } from '../../shared/half.ts';
import { LANES } from '../../shared/vision/network.ts';
import { customOperators, regionsOf } from './mesh-graph.ts';
import { type Encoding, NetworkBuilder } from './network-graph.ts';
import { readTflite } from './tflite.ts';

/**
 * The face mesh with attention for the device's kernels. Outputs: the mesh (468 × 3), the flag, then the five
 * branches (x, y each, pixels of their cut-outs) in the order of mesh-output.ts.
 */
export function meshToNetwork(tflite: Uint8Array, encoding: Encoding): Uint8Array {
  const graph = readTflite(tflite);
  const builder = new NetworkBuilder(graph, encoding);
  const mesh = builder.value(builder.producer(graph.outputs[0]).inputs[0]);
  const flag = builder.value(graph.outputs[6]);

  const samplers = customOperators(graph, 'TransformTensorBilinear');
  const features = builder.value(samplers[0]?.inputs[0]);
  const regions = regionsOf(graph);
  const cuts = samplers.map((operator) => {
    const value = builder.allocate(regions.size, features.channels);
    builder.bind(operator.outputs[0] ?? -1, value);
    return value;
  });
  if (features.channels % LANES !== 0) throw new Error('a feature map with padded channels is not mapped');
  builder.add({
    kind: 'regions',
    mesh: mesh.id,
    features: features.id,
    columns: features.size,
    channels: features.channels,
    to: cuts.map(({ id }) => id),
  });

  const branches = customOperators(graph, 'TransformLandmarks');
  const matrices = customOperators(graph, 'Landmarks2TransformMatrix').map((operator) => operator.outputs[0]);
  const scales = branches.map((branch) =>
    builder.halves(builder.producer(branch.inputs[1]).inputs[1]).map(halfToNumber),
  );
  const [localScale = 1, , , frameScale = 1] = scales[0] ?? [];
  if (scales.some((scale) => scale[0] !== localScale || scale[3] !== frameScale || scale[5] !== localScale)) {
    throw new Error('the branches scale their matrices in different ways');
  }
  const heads = branches.map((branch) => builder.value(builder.producer(branch.inputs[0]).inputs[0]));
  return builder.encode(
    [mesh, flag, ...heads].map((value) => ({ value, values: value.channels, rows: 1 })),
    {
      ...regions,
      branches: branches.map((branch) => matrices.indexOf(builder.producer(branch.inputs[1]).inputs[0])),
      localScale,
      frameScale,
    },
  );
}

/** The short-range face detector for the device's kernels. Outputs: its two maps of boxes, then its two of scores. */
export function detectorToNetwork(tflite: Uint8Array, encoding: Encoding): Uint8Array {
  const graph = readTflite(tflite);
  const builder = new NetworkBuilder(graph, encoding);
  const parts = graph.outputs.flatMap((output) =>
    builder.producer(output).inputs.map((tensor) => builder.value(builder.producer(tensor).inputs[0])),
  );
  return builder.encode(
    parts.map((value) => ({ value, values: value.channels, rows: value.size * value.size })),
    null,
  );
}
