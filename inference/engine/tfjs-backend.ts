import { sep } from 'node:path';
import type * as WasmBackend from '@tensorflow/tfjs-backend-wasm';
import type * as Tf from '@tensorflow/tfjs-core';
import { packageFolder, projectRequire } from '../packages.ts';
import { multiplyWholeNumbersToo } from './tfjs-whole-numbers.ts';

/** TensorFlow.js with its fastest backend there is: tfjs-node if installed (an optional peer), else wasm. */
export async function loadTensorflow(): Promise<typeof Tf> {
  const load = projectRequire();
  if (packageFolder('@tensorflow/tfjs-node') !== null) {
    const tf = load('@tensorflow/tfjs-node') as typeof Tf;
    await tf.ready();
    return tf;
  }
  const tf = load('@tensorflow/tfjs-core') as typeof Tf;
  const wasm = load('@tensorflow/tfjs-backend-wasm') as typeof WasmBackend;
  wasm.setWasmPaths(`${packageFolder('@tensorflow/tfjs-backend-wasm')}${sep}wasm-out${sep}`);
  // The pool has the threads.
  wasm.setThreadsCount(1);
  multiplyWholeNumbersToo(tf);
  await tf.setBackend('wasm');
  await tf.ready();
  return tf;
}
