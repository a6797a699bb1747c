import { describe, expect, it } from 'vitest';
import { openNetworkModels } from '../../../client/device/models.ts';
import { KERNEL_WASM_BASE64 } from '../../../client/device/network/kernel-bytes.ts';
import { createOnnxEngine } from '../../../inference/engine/onnx.ts';
import { loadModels } from '../../../inference/models/store.ts';
import { compileKernel } from '../../../scripts/build-kernel.ts';
import { deviceModels } from '../../../scripts/models/device.ts';
import { RelayError } from '../../../shared/errors.ts';
import { DETECTOR_SIZE } from '../../../shared/vision/detector.ts';
import { splitFiles } from '../../../shared/vision/device-models.ts';
import { createLocator, type FaceModels } from '../../../shared/vision/locate.ts';
import { MESH_SIZE } from '../../../shared/vision/mesh-output.ts';
import { describeAgreement, describeEngine } from '../../support/engine-contract.ts';

async function openModels(): Promise<FaceModels> {
  const [mesh, detector] = splitFiles(await deviceModels());
  if (mesh === undefined || detector === undefined) throw new Error('a model is missing');
  const module = await WebAssembly.compile(Buffer.from(KERNEL_WASM_BASE64, 'base64'));
  return openNetworkModels(module, { mesh, detector });
}

const openDevice = async () => ({ locate: createLocator(await openModels()), close: async () => {} });
const openOnnx = async () => createOnnxEngine(await loadModels());

// The engine of device mode is held to what the server's engines are held to.
describeEngine('device', openDevice);
describeAgreement('device', openDevice, openOnnx);

describe('the device’s kernels', () => {
  it('are what their sources say', async () => {
    expect(Buffer.from(await compileKernel('network')).toString('base64')).toBe(KERNEL_WASM_BASE64);
  });

  it('give onnxruntime’s numbers for any input, to a thousandth of a pixel', async () => {
    const { openOnnxModels } = await import('../../../inference/engine/onnx.ts');
    const reference = await openOnnxModels(await import('onnxruntime-node'), await loadModels());
    const device = await openModels();
    let state = 7;
    const noise = (length: number, low: number): Float32Array =>
      Float32Array.from({ length }, () => {
        state = (state * 48_271) % 2_147_483_647;
        return low + (1 - low) * (state / 2_147_483_647);
      });
    const largest = (a: Float32Array, b: Float32Array): number =>
      a.reduce((most, value, index) => Math.max(most, Math.abs(value - (b[index] ?? Number.NaN))), 0);
    for (let round = 0; round < 3; round++) {
      const face = noise(3 * MESH_SIZE * MESH_SIZE, 0);
      const [seen, expected] = [await device.mesh(face), await reference.mesh(face)];
      expect(largest(seen.mesh, expected.mesh)).toBeLessThan(0.001);
      expect(seen.flag).toBeCloseTo(expected.flag, 3);
      const frame = noise(3 * DETECTOR_SIZE * DETECTOR_SIZE, -1);
      const [found, wanted] = [await device.detect(frame), await reference.detect(frame)];
      expect(largest(found.boxes, wanted.boxes)).toBeLessThan(0.001);
      expect(largest(found.logits, wanted.logits)).toBeLessThan(0.001);
    }
    await reference.close();
  });

  it('a file that is cut off is refused, not run', async () => {
    const whole = await deviceModels();
    expect(() => splitFiles(whole.subarray(0, whole.length - 1))).toThrow(RelayError);
    const [mesh = whole, detector = whole] = splitFiles(whole);
    const module = await WebAssembly.compile(Buffer.from(KERNEL_WASM_BASE64, 'base64'));
    for (const cut of [0, 7, 100, mesh.length - 1]) {
      await expect(openNetworkModels(module, { mesh: mesh.subarray(0, cut), detector })).rejects.toThrow(
        expect.objectContaining({ code: 'network_invalid' }),
      );
    }
  });
});
