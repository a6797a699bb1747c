import { bootGateway, failStart } from './boot.ts';

process.title = 'gaze-relay gateway';

try {
  const gateway = await bootGateway(process.env);
  let ending = false;
  const end = () => {
    if (ending) return;
    ending = true;
    gateway.close().then(() => process.exit(0), failStart);
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  process.on('disconnect', end);
  // Last: whoever waits for it may end this process at once.
  process.send?.({ type: 'ready', port: gateway.port, url: gateway.url });
} catch (error) {
  failStart(error);
}
