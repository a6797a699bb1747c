import type { ModelName } from '../../inference/models/catalog.ts';
import { detectorToOnnx } from './detector-graph.ts';
import { meshToOnnx, observedMeshToOnnx } from './mesh-graph.ts';
import { readSource, type SourceName } from './source.ts';

interface Conversion {
  readonly source: SourceName;
  readonly toOnnx: (tflite: Uint8Array) => Uint8Array;
}

const CONVERSIONS: Readonly<Record<ModelName, Conversion>> = {
  mesh: { source: 'mesh', toOnnx: meshToOnnx },
  observedMesh: { source: 'mesh', toOnnx: observedMeshToOnnx },
  detector: { source: 'detector', toOnnx: detectorToOnnx },
};

/** The ONNX form of one model, the same bytes every time, from the package in `sourceDir`. Errors as readSource. */
export async function convertModel(name: ModelName, sourceDir: string | null): Promise<Uint8Array> {
  const { source, toOnnx } = CONVERSIONS[name];
  return toOnnx(await readSource(source, sourceDir));
}
