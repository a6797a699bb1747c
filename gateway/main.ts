import { bootGateway, failStart } from './boot.ts';

process.title = 'gaze-relay gateway';

const booting = bootGateway(process.env);
const end = () => void booting.then((gateway) => gateway.close()).then(() => process.exit(0), failStart);
// Before anything else: PID 1 of a container gets no default signal handlers.
process.on('SIGTERM', end);
process.on('SIGINT', end);
process.on('disconnect', end);

try {
  const gateway = await booting;
  process.send?.({ type: 'ready', port: gateway.port, url: gateway.url });
} catch (error) {
  failStart(error);
}
