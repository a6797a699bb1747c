import type * as Tf from '@tensorflow/tfjs-core';

/**
 * The wasm backend multiplies matrices of floats alone; the attention mesh has one of whole numbers.
 * https://github.com/tensorflow/tfjs/blob/tfjs-v4.22.0/tfjs-backend-wasm/src/kernels/BatchMatMul.ts
 */
export function multiplyWholeNumbersToo(tf: typeof Tf): void {
  const kernel = tf.getKernel('BatchMatMul', 'wasm');
  const cast = tf.getKernel('Cast', 'wasm');
  tf.unregisterKernel('BatchMatMul', 'wasm');
  tf.registerKernel({
    ...kernel,
    kernelFunc: ({ inputs, backend, attrs }) => {
      const made: Tf.TensorInfo[] = [];
      const asFloats = (tensor: Tf.TensorInfo | undefined): Tf.TensorInfo | undefined => {
        if (tensor === undefined || tensor.dtype === 'float32') return tensor;
        const floats = cast.kernelFunc({
          inputs: { x: tensor },
          backend,
          attrs: { dtype: 'float32' },
        }) as Tf.TensorInfo;
        made.push(floats);
        return floats;
      };
      const result = kernel.kernelFunc({
        inputs: { ...inputs, a: asFloats(inputs.a), b: asFloats(inputs.b) } as Tf.NamedTensorInfoMap,
        backend,
        ...(attrs === undefined ? {} : { attrs }),
      });
      for (const { dataId } of made) (backend as Tf.KernelBackend).disposeData(dataId);
      return result;
    },
  });
}
