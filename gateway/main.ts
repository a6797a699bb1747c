import { bootGateway, failStart } from './boot.ts';

process.title = 'gaze-relay gateway';

const booting = bootGateway(process.env);
let ending = false;
const end = () => {
  if (ending) return;
  ending = true;
  booting.then((gateway) => gateway.close()).then(() => process.exit(0), failStart);
};
// Before anything else: as the first process of a container, what is not handled is not heard.
process.on('SIGTERM', end);
process.on('SIGINT', end);
process.on('disconnect', end);

try {
  const gateway = await booting;
  process.send?.({ type: 'ready', port: gateway.port, url: gateway.url });
} catch (error) {
  failStart(error);
}
