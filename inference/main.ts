import { bootInference, failStart } from './boot.ts';

process.title = 'gaze-relay inference';

// onnxruntime 1.30 reports to its maker over HTTPS unless this is set before it loads; its workers read it from here.
process.env.ORT_DISABLE_TELEMETRY = '1';

const booting = bootInference(process.env);
let ending = false;
const end = (): void => {
  if (ending) return;
  ending = true;
  booting.then((inference) => inference.close()).then(() => process.exit(0), failStart);
};
// Before anything else: as the first process of a container, what is not handled is not heard.
process.on('SIGTERM', end);
process.on('SIGINT', end);
process.on('disconnect', end);

try {
  const inference = await booting;
  process.send?.({ type: 'ready', port: inference.port });
} catch (error) {
  failStart(error);
}
