import { bootInference, failStart } from './boot.ts';
import { endProcess } from './pool/spawn.ts';

process.title = 'gaze-relay inference';

// onnxruntime 1.30 reports to its maker over HTTPS unless this is set before it loads; its workers read it from here.
process.env.ORT_DISABLE_TELEMETRY = '1';

const booting = bootInference(process.env);
let ending = false;
const end = (): void => {
  if (ending) return;
  ending = true;
  booting.then((inference) => inference.close()).then(() => endProcess(0), failStart);
};
// PID 1 gets no default signal handlers.
process.on('SIGTERM', end);
process.on('SIGINT', end);
process.on('disconnect', end);

try {
  const inference = await booting;
  process.send?.({ type: 'ready', port: inference.port });
} catch (error) {
  failStart(error);
}
