import { EYE_BRANCHES, EYE_REGIONS, eyeHeads } from '../../shared/vision/eye-regions.ts';
import type { FaceModels } from '../../shared/vision/locate.ts';
import { HEAD_POINTS, MESH_POINTS } from '../../shared/vision/mesh-output.ts';
import { type Network, openNetwork } from './network/runtime.ts';

function joined(first: Float32Array, second: Float32Array): Float32Array {
  const whole = new Float32Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

/** The branches' points in cells from their regions' centres. */
function branchPoints(mesh: Network): Float32Array {
  const points = new Float32Array(EYE_BRANCHES * HEAD_POINTS * 2);
  const cellsPerUnit = mesh.plan.cellsPerUnit ?? 1;
  for (let branch = 0; branch < EYE_BRANCHES; branch++) {
    mesh.output(2 + branch).forEach((value, index) => {
      points[branch * HEAD_POINTS * 2 + index] = value * cellsPerUnit - EYE_REGIONS.size / 2;
    });
  }
  return points;
}

/** The two models on the device's own kernels: files as meshToNetwork and detectorToNetwork make them. */
export async function openNetworkModels(
  module: WebAssembly.Module,
  files: { readonly mesh: Uint8Array; readonly detector: Uint8Array },
): Promise<FaceModels> {
  const mesh = await openNetwork(module, files.mesh);
  const detector = await openNetwork(module, files.detector);
  return {
    mesh: async (planes) => {
      mesh.run(planes);
      const [flag = 0] = mesh.output(1);
      const points = mesh.output(0).subarray(0, MESH_POINTS * 3);
      return { mesh: points, heads: eyeHeads(points, mesh.regions, branchPoints(mesh)), flag };
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
