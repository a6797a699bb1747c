import type { FaceModels } from '../../shared/vision/locate.ts';
import { HEAD_POINTS, MESH_POINTS } from '../../shared/vision/mesh-output.ts';
import { placeBranch } from '../../shared/vision/mesh-regions.ts';
import { type Network, openNetwork } from './network/runtime.ts';

function joined(first: Float32Array, second: Float32Array): Float32Array {
  const whole = new Float32Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

function branches(mesh: Network): Float32Array {
  const { regions: known } = mesh.plan;
  const heads = new Float32Array((known?.branches.length ?? 0) * HEAD_POINTS * 2);
  known?.branches.forEach((index, branch) => {
    const region = mesh.regions[index];
    if (region === undefined) return;
    const points = mesh.output(2 + branch);
    placeBranch(points, region, known);
    heads.set(points, branch * HEAD_POINTS * 2);
  });
  return heads;
}

/** The two models on the device's own kernels: files as meshToNetwork and detectorToNetwork make them. */
export async function openNetworkModels(
  module: WebAssembly.Module,
  files: { readonly mesh: Uint8Array; readonly detector: Uint8Array },
): Promise<FaceModels & { readonly memoryBytes: number }> {
  const mesh = await openNetwork(module, files.mesh);
  const detector = await openNetwork(module, files.detector);
  return {
    memoryBytes: mesh.memoryBytes + detector.memoryBytes,
    mesh: async (planes) => {
      mesh.run(planes);
      const [flag = 0] = mesh.output(1);
      return { mesh: mesh.output(0).subarray(0, MESH_POINTS * 3), heads: branches(mesh), flag };
    },
    detect: async (planes) => {
      detector.run(planes);
      return {
        boxes: joined(detector.output(0), detector.output(1)),
        logits: joined(detector.output(2), detector.output(3)),
      };
    },
  };
}
