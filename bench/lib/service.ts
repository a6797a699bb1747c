import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { GATHER_REQUESTS, gatherMs, NO_REQUESTS, noteRequest } from '../../gateway/relay/gathering.ts';
import type { ObserveRequest } from '../../inference/observe.ts';
import { decodeInferenceResponse, encodeInferenceRequest, LINK_PATH, LINK_SUBPROTOCOL } from '../../shared/link.ts';
import { cpuMsOf, rssMbOf } from './process-usage.ts';

const BUDGET_MS = 10_000;
const HEALTH_EVERY_MS = 20;

export interface Service {
  readonly port: number;
  readonly readyMs: number;
  rssMb(): Promise<number | null>;
  /** CPU time since its start, all threads; null where there is no /proc. */
  cpuMs(): Promise<number | null>;
  end(): Promise<void>;
}

/** The production bundle as its own process, models cached. */
export async function startService(workers: number): Promise<Service> {
  const startedMs = performance.now();
  const child = fork(fileURLToPath(new URL('../../dist/inference/main.mjs', import.meta.url)), {
    env: { ...process.env, PORT: '0', LOG_LEVEL: 'warn', INFERENCE_WORKERS: String(workers) },
    execArgv: [],
  });
  const port = await new Promise<number>((resolve, reject) => {
    child.on('message', (message: { port: number }) => resolve(message.port));
    child.once('exit', (code) => reject(new Error(`the service ended with ${code}`)));
  });
  return {
    port,
    readyMs: performance.now() - startedMs,
    rssMb: () => rssMbOf(child.pid),
    cpuMs: () => cpuMsOf(child.pid),
    end: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGTERM');
      }),
  };
}

/** Sends requests over one link; latency as the sender sees it, ms. */
async function openSender(port: number, requests: readonly ObserveRequest[]) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${LINK_PATH}`, LINK_SUBPROTOCOL, { perMessageDeflate: false });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  const waiting = new Map<number, (ok: boolean) => void>();
  socket.on('message', (data) => {
    const response = decodeInferenceResponse(data as Buffer);
    waiting.get(response.requestId)?.(response.status === 'ok');
    waiting.delete(response.requestId);
  });
  let nextId = 0;
  return {
    send: (): Promise<{ ok: boolean; ms: number }> => {
      const request = requests[nextId % requests.length];
      if (request === undefined) throw new Error('no frames to send');
      const requestId = nextId++;
      const startedMs = performance.now();
      return new Promise((resolve) => {
        waiting.set(requestId, (ok) => resolve({ ok, ms: performance.now() - startedMs }));
        socket.send(encodeInferenceRequest({ ...request, requestId, budgetMs: BUDGET_MS }));
      });
    },
    close: () => socket.close(),
  };
}

/** The longest that /healthz took to answer while `work` ran, asked again and again; ms. */
export async function slowestHealth(port: number, work: () => Promise<unknown>): Promise<number> {
  let working = true;
  let slowestMs = 0;
  const ask = async (): Promise<void> => {
    while (working) {
      const startedMs = performance.now();
      await (await fetch(`http://127.0.0.1:${port}/healthz`)).arrayBuffer();
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
      await new Promise((resolve) => setTimeout(resolve, HEALTH_EVERY_MS));
    }
  };
  const asking = ask();
  await work();
  working = false;
  await asking;
  return slowestMs;
}

/** As many requests as are answered while `concurrency` are always under way; per second. */
export async function saturate(port: number, requests: readonly ObserveRequest[], concurrency: number, forMs: number) {
  const sender = await openSender(port, requests);
  const startedMs = performance.now();
  let answered = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() - startedMs < forMs) if ((await sender.send()).ok) answered++;
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  sender.close();
  return answered / ((performance.now() - startedMs) / 1000);
}

/** Latencies at a steady rate, whatever the answers do. */
export async function pace(port: number, requests: readonly ObserveRequest[], perSecond: number, forMs: number) {
  const sender = await openSender(port, requests);
  const answers: Promise<{ ok: boolean; ms: number }>[] = [];
  const startedMs = performance.now();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const elapsedMs = performance.now() - startedMs;
      while (answers.length < (Math.min(elapsedMs, forMs) * perSecond) / 1000) answers.push(sender.send());
      if (elapsedMs < forMs) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
  const latencies = (await Promise.all(answers)).filter((answer) => answer.ok).map((answer) => answer.ms);
  sender.close();
  return latencies;
}

/** The golden ratio spreads any number of students evenly over the time between two pictures. */
const SPREAD = (1 + Math.sqrt(5)) / 2;

/**
 * A school: `students` who each send `perSecond` pictures, every one at moments of their own, through one link and gathered as a gateway does.
 * Resolves with the latencies of what was answered, ms.
 */
export async function teach(
  port: number,
  requests: readonly ObserveRequest[],
  { students, perSecond, forMs }: { readonly students: number; readonly perSecond: number; readonly forMs: number },
) {
  const sender = await openSender(port, requests);
  const everyMs = 1000 / perSecond;
  const dueMs = Array.from({ length: students }, (_, index) => ((index * SPREAD) % 1) * everyMs);
  const answers: Promise<{ ok: boolean; ms: number }>[] = [];
  const startedMs = performance.now();
  let rate = NO_REQUESTS;
  let heldSinceMs: number[] = [];
  const sendHeld = (nowMs: number): void => {
    for (const sinceMs of heldSinceMs) {
      answers.push(sender.send().then(({ ok, ms }) => ({ ok, ms: nowMs - sinceMs + ms })));
    }
    heldSinceMs = [];
  };
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const nowMs = performance.now();
      const elapsedMs = nowMs - startedMs;
      for (const [index, due] of dueMs.entries()) {
        if (due > Math.min(elapsedMs, forMs)) continue;
        dueMs[index] = due + everyMs;
        rate = noteRequest(rate, nowMs);
        heldSinceMs.push(nowMs);
      }
      const isOver = elapsedMs >= forMs;
      const waitedMs = nowMs - (heldSinceMs[0] ?? nowMs);
      if (isOver || heldSinceMs.length >= GATHER_REQUESTS || waitedMs >= gatherMs(rate)) sendHeld(nowMs);
      if (!isOver) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
  const latencies = (await Promise.all(answers)).filter((answer) => answer.ok).map((answer) => answer.ms);
  sender.close();
  return latencies;
}
