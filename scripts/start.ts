import { type Service, startGateway, startInference } from '../harness/services.ts';
import { describeError } from '../shared/errors.ts';
import { buildClient, buildServices } from './build.ts';

const RESTART_AFTER_MS = 1000;

/** Gateway and inference as two processes on this machine, as in production. */
async function main(): Promise<void> {
  const startedMs = performance.now();
  await Promise.all([buildClient(), buildServices()]);
  // At the first start the address matters, not the lines that report normal operation.
  const options = { env: { LOG_LEVEL: 'warn', ...process.env }, log: 'inherit' } as const;
  let ending = false;
  let inference = await startInference(options);
  const gateway = await startGateway(options, inference.port);
  const watchInference = (service: Service) => {
    service.exited.then(async (code) => {
      if (ending) return;
      process.stderr.write(`inference ended (status ${code}); starting it again, students stay connected\n`);
      await new Promise((resolve) => setTimeout(resolve, RESTART_AFTER_MS));
      if (ending) return;
      inference = await startInference(options, service.port);
      watchInference(inference);
    }, fail);
  };
  watchInference(inference);
  const end = async (status: number) => {
    if (ending) return;
    ending = true;
    await gateway.stop();
    await inference.stop();
    process.exit(status);
  };
  process.on('SIGINT', () => void end(0));
  process.on('SIGTERM', () => void end(0));
  gateway.exited.then((code) => end(code ?? 1), fail);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  process.stdout.write(
    `\n  gaze-relay is ready after ${seconds} s: http://127.0.0.1:${gateway.port}/\n  Ctrl+C ends it.\n\n`,
  );
}

function fail(error: unknown): never {
  process.stderr.write(`${describeError(error)}\n`);
  process.exit(1);
}

main().catch(fail);
