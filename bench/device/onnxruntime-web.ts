import * as ort from 'onnxruntime-web/wasm';
import { DETECTOR_SIZE } from '../../shared/vision/detector.ts';
import { withMeshLips } from '../../shared/vision/eye-regions.ts';
import { MESH_SIZE } from '../../shared/vision/mesh-output.ts';
import { bytesAt, type DeviceRuntime } from './runtime.ts';

function floats(outputs: ort.InferenceSession.OnnxValueMapType, name: string): Float32Array {
  return outputs[name]?.data as Float32Array;
}

function image(planes: Float32Array, size: number): ort.Tensor {
  return new ort.Tensor('float32', planes, [1, 3, size, size]);
}

/** The server's ONNX models on onnxruntime's WebAssembly. */
export const runtime: DeviceRuntime = {
  open: async (base) => {
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmPaths = `${base}/`;
    const session = async (name: string) =>
      ort.InferenceSession.create(await bytesAt(`${base}/${name}`), {
        executionProviders: ['wasm'],
        graphOptimizationLevel: 'all',
      });
    const [mesh, detector] = [await session('mesh.onnx'), await session('detector.onnx')];
    return {
      mesh: async (planes) => {
        const outputs = await mesh.run({ image: image(planes, MESH_SIZE) });
        const points = floats(outputs, 'mesh');
        const heads = withMeshLips(points, floats(outputs, 'heads'));
        return { mesh: points, heads, flag: floats(outputs, 'flag')[0] ?? 0 };
      },
      detect: async (planes) => {
        const outputs = await detector.run({ image: image(planes, DETECTOR_SIZE) });
        return { boxes: floats(outputs, 'boxes'), logits: floats(outputs, 'scores') };
      },
    };
  },
};
