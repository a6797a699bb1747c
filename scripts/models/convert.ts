import type { ModelName } from '../../inference/models/catalog.ts';
import { detectorToOnnx } from './detector-graph.ts';
import { meshToOnnx, observedMeshToOnnx } from './mesh-graph.ts';

const CONVERTERS: Readonly<Record<ModelName, (tflite: Uint8Array) => Uint8Array>> = {
  mesh: meshToOnnx,
  observedMesh: observedMeshToOnnx,
  detector: detectorToOnnx,
};

/** The ONNX form of one model; the same bytes every time. Loaded only when the cache has no model. */
export function convertModel(name: ModelName, tflite: Uint8Array): Uint8Array {
  return CONVERTERS[name](tflite);
}
