import { LANES } from '../../shared/vision/network.ts';
import { checkEyeRegions, LIP_BRANCHES, regionsOf } from './mesh-graph.ts';
import { NetworkBuilder } from './network-graph.ts';
import { readTflite } from './tflite.ts';

/**
 * The face mesh with attention for the device's kernels, without the lips' branch: no observation is made of it.
 * Outputs: the mesh (468 × 3), the flag, then the four branches of the eyes (x, y each, in the model's own units) in
 * the order of mesh-output.ts.
 */
export function meshToNetwork(tflite: Uint8Array): Uint8Array {
  const graph = readTflite(tflite);
  const builder = new NetworkBuilder(graph);
  const samplers = graph.customOperators('TransformTensorBilinear').slice(LIP_BRANCHES);
  const features = builder.value(samplers[0]?.inputs[0]);
  const mesh = builder.value(graph.producer(graph.outputs[0]).inputs[0]);
  const flag = builder.value(graph.outputs[6]);
  const regions = regionsOf(graph);
  checkEyeRegions(regions, features.size);
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

  const branches = graph.customOperators('TransformLandmarks').slice(LIP_BRANCHES);
  const scales = branches.map((branch) => graph.numbers(graph.producer(branch.inputs[1]).inputs[1]));
  const [localScale = 1, , , frameScale = 1] = scales[0] ?? [];
  if (scales.some((scale) => scale[0] !== localScale || scale[3] !== frameScale || scale[5] !== localScale)) {
    throw new Error('the branches scale their matrices in different ways');
  }
  const heads = branches.map((branch) => builder.value(graph.producer(branch.inputs[0]).inputs[0]));
  return builder.encode(
    [mesh, flag, ...heads].map((value) => ({ value, values: value.channels, rows: 1 })),
    localScale / frameScale,
  );
}

/** The short-range face detector for the device's kernels. Outputs: its two maps of boxes, then its two of scores. */
export function detectorToNetwork(tflite: Uint8Array): Uint8Array {
  const graph = readTflite(tflite);
  const builder = new NetworkBuilder(graph);
  const parts = graph.outputs.flatMap((output) =>
    graph.producer(output).inputs.map((tensor) => builder.value(graph.producer(tensor).inputs[0])),
  );
  return builder.encode(
    parts.map((value) => ({ value, values: value.channels, rows: value.size * value.size })),
    null,
  );
}
