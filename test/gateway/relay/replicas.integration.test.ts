import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { CLIP_FRAMES } from '../../../harness/clip.ts';
import { startTestGateway, type TestGateway } from '../../../harness/gateway.ts';
import { frameMessage, Peer } from '../../../harness/peer.ts';
import { type Service, startService } from '../../../harness/services.ts';
import { waitFor } from '../../../harness/wait-for.ts';
import { LINK_PATH } from '../../../shared/link.ts';

const INFERENCE = fileURLToPath(new URL('../../../dist/inference/main.mjs', import.meta.url));
const STUDENTS = 4;

/** Inference processes behind one name, each on an address of its own and all on one port. */
const replicas = new Map<string, Service>();
let port = 0;
let addresses: readonly string[] = [];
let gateway: TestGateway;
const open: (() => void)[] = [];

async function startReplica(address: string): Promise<void> {
  const env = { PATH: process.env.PATH, LOG_LEVEL: 'error', HOST: address, PORT: String(port), INFERENCE_WORKERS: '1' };
  const service = await startService('inference', INFERENCE, { env, log: 'ignore' });
  port = service.port;
  replicas.set(address, service);
}

async function links(): Promise<string[]> {
  const status = (await (await fetch(new URL('/readyz', gateway.url))).json()) as { inference: string[] };
  return status.inference;
}

function connected(count: number): () => Promise<boolean> {
  return async () => {
    const states = await links();
    return states.length === count && states.every((state) => state === 'connected');
  };
}

/** A student who sends a frame as soon as the one before is answered, and counts the outcomes. */
class Streaming {
  readonly outcomes = { processed: 0, other: 0 };
  readonly #peer: Peer;
  readonly #startedMs = performance.now();
  #running = true;
  #done: Promise<void>;

  private constructor(peer: Peer) {
    this.#peer = peer;
    this.#done = this.#run();
  }

  static async begin(userId: number): Promise<Streaming> {
    const peer = await Peer.open(gateway.url);
    await peer.hello(await gateway.ticket(userId));
    await peer.start();
    return new Streaming(peer);
  }

  get socketOpen(): boolean {
    return this.#peer.socket.readyState === this.#peer.socket.OPEN;
  }

  async end(): Promise<void> {
    this.#running = false;
    await this.#done;
    await this.#peer.close();
  }

  async #run(): Promise<void> {
    for (let seq = 0; this.#running; seq += 1) {
      // At the rate of a real student at most: ten per second.
      await delay(Math.max(0, seq * 100 - (performance.now() - this.#startedMs)));
      const image = CLIP_FRAMES[seq % CLIP_FRAMES.length];
      if (image === undefined) throw new Error('the clip is empty');
      this.#peer.send(frameMessage(seq & 0xffff, Math.floor(performance.now() - this.#startedMs), image));
      const update = await this.#peer.update(seq & 0xffff);
      this.outcomes[update.outcome === 'processed' ? 'processed' : 'other'] += 1;
    }
  }
}

beforeAll(async () => {
  await startReplica('127.0.0.1');
  addresses = ['127.0.0.1'];
  gateway = await startTestGateway(
    { INFERENCE_URL: `http://inference.test:${port}` },
    { relay: { resolve: async () => addresses, resolveEveryMs: 100 } },
  );
});

afterEach(() => {
  for (const end of open.splice(0)) end();
});

afterAll(async () => {
  await gateway?.dispose();
  await Promise.all([...replicas.values()].map((service) => service.stop()));
});

describe('inference replicas behind one name', () => {
  it('1 → 3 → 2 while students stream: no session ends, every replica serves, almost nothing is unserved', async () => {
    const students = await Promise.all(Array.from({ length: STUDENTS }, (_, index) => Streaming.begin(100 + index)));
    await waitFor('1 links', connected(1));
    await startReplica('127.0.0.2');
    await startReplica('127.0.0.3');
    addresses = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];
    await waitFor('3 links', connected(3));
    const answered = async (address: string) => {
      const status = await (await fetch(`http://${address}:${port}/readyz`)).json();
      return (status as { answered: number }).answered;
    };
    for (const address of ['127.0.0.2', '127.0.0.3'])
      await waitFor(`an answer of ${address}`, async () => (await answered(address)) > 0);

    addresses = ['127.0.0.1', '127.0.0.3'];
    await waitFor('2 links', connected(2));
    await replicas.get('127.0.0.2')?.stop();
    replicas.delete('127.0.0.2');

    // One that dies without a word, while its address still resolves.
    replicas.get('127.0.0.3')?.process.kill('SIGKILL');
    replicas.delete('127.0.0.3');
    const before = students.map(({ outcomes }) => outcomes.processed);
    await waitFor('ten more frames of each', () =>
      students.every(({ outcomes }, index) => outcomes.processed >= (before[index] ?? 0) + 10),
    );

    expect(students.every(({ socketOpen }) => socketOpen)).toBe(true);
    await Promise.all(students.map((student) => student.end()));
    const processed = students.reduce((sum, { outcomes }) => sum + outcomes.processed, 0);
    const other = students.reduce((sum, { outcomes }) => sum + outcomes.other, 0);
    // The very first frames may come before the first link is up.
    expect(other).toBeLessThanOrEqual(Math.max(8, processed * 0.05));
    addresses = ['127.0.0.1'];
  });

  it('a replica that is silent is ejected, its frames are served by another within their deadline', async () => {
    const silent = new WebSocketServer({
      host: '127.0.0.4',
      port,
      path: LINK_PATH,
      handleProtocols: (offered) => [...offered][0] ?? false,
    });
    open.push(() => silent.close());
    let asked = 0;
    silent.on('connection', (socket) => socket.on('message', () => asked++));
    addresses = ['127.0.0.1', '127.0.0.4'];
    const student = await Streaming.begin(200);
    await waitFor('the ejection', async () => (await links()).includes('ejected'));
    expect(asked).toBeGreaterThanOrEqual(3);
    const { processed } = student.outcomes;
    await waitFor('five more frames', () => student.outcomes.processed >= processed + 5);
    await student.end();
    expect(student.outcomes.other).toBeLessThanOrEqual(3);
  });
});
