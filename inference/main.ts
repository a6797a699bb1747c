import { bootInference, failStart } from './boot.ts';

process.title = 'gaze-relay inference';

try {
  const inference = await bootInference(process.env);
  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    inference.close().then(() => process.exit(0), failStart);
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  process.on('disconnect', end);
  // Last: whoever waits for it may end this process at once.
  process.send?.({ type: 'ready', port: inference.port });
} catch (error) {
  failStart(error);
}
