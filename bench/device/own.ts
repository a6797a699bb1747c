import { openNetworkModels } from '../../client/device/models.ts';
import { KERNEL_WASM_BASE64 } from '../../client/device/network/kernel-bytes.ts';
import { splitFiles } from '../../shared/vision/device-models.ts';
import { bytesAt, type DeviceRuntime } from './runtime.ts';

/** What device mode uses. */
export const runtime: DeviceRuntime = {
  open: async (base) => {
    const kernels = Uint8Array.from(atob(KERNEL_WASM_BASE64), (character) => character.charCodeAt(0));
    const [mesh, detector] = splitFiles(await bytesAt(`${base}/models.bin`));
    if (mesh === undefined || detector === undefined) throw new Error('a model is missing');
    return openNetworkModels(await WebAssembly.compile(kernels), { mesh, detector });
  },
};
