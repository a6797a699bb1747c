import { seededRandom } from '../harness/random.ts';
import { buildUnless, readOptions } from './lib/options.ts';
import { stormOfGateways, stormOfSocketIo } from './storm/run.ts';

const USAGE = `npm run bench -- storm [options]
  --students N   connected students, an observation a second each (default 2000)
  --seed N       jitter of the reconnects (default 1)
  --json         end with one JSON object as the last line
  --no-build     run what is in dist/ already
Three gateways behind HAProxy with three NATS servers and MariaDB; one gateway is killed. Then the same with Socket.IO and its
connection-state recovery. 127.0.1.1 to 127.0.1.40 must be addresses of this machine, as they are on Linux.
`;

export async function run(argv: readonly string[]): Promise<void> {
  const values = readOptions(argv, USAGE, {
    students: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
  });
  if (values === null) return;
  const students = Number(values.students);
  if (!Number.isInteger(students) || students < 10) throw new Error('--students is a whole number from 10 on');
  await buildUnless(values);
  const random = seededRandom(Number(values.seed));
  const ours = await stormOfGateways(students, random);
  const socketIo = await stormOfSocketIo(students, random);
  const summary = { students, ...ours, socketIo };
  if (values.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
  else process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
}
