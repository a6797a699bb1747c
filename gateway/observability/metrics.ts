import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ClientMessage } from '../../shared/protocol/frames.ts';
import type { Outcome } from '../../shared/protocol/update.ts';
import type { LinkAnswer } from '../relay/inference-link.ts';

/** From a quick answer on one machine to the frame's budget. */
const LATENCY_BUCKETS_S = [0.002, 0.005, 0.01, 0.02, 0.035, 0.06, 0.1, 0.2, 0.5, 1, 2];

/** What is read at the moment of a scrape. */
export interface GaugeReadings {
  /** Live sessions by mode and phase. */
  readonly sessions: () => readonly { readonly mode: string; readonly phase: string }[];
  readonly detachedSessions: () => number;
  readonly links: () => readonly { readonly state: string }[];
  readonly spoolDepth: () => number;
  readonly spoolOldestAgeMs: () => number | null;
  readonly spoolSetAside: () => number;
}

/** The gateway's metrics, each with the prefix `gaze_relay_`. Counting costs about a microsecond a frame. */
export class GatewayMetrics {
  readonly registry = new Registry();
  readonly #received = this.#counter('messages_received_total', 'Binary messages of clients by kind', ['kind']);
  readonly #answered = this.#counter('messages_answered_total', 'Updates sent, by what became of the message', [
    'outcome',
  ]);
  readonly #answeredLate = this.#counter(
    'late_messages_answered_total',
    'Updates to messages that an outage held back, by what became of the message; in messages_answered_total too',
    ['outcome'],
  );
  readonly #answers = this.#counter('inference_answers_total', 'Answers of inference, by status', ['status']);
  readonly #deliveries = this.#counter('store_deliveries_total', 'Batches of windows handed to the store, by outcome', [
    'outcome',
  ]);
  readonly #windows = this.#counter(
    'store_windows_total',
    'Windows the store took, first (applied) or again (repeated)',
    ['result'],
  );
  readonly #closes = this.#counter('connections_closed_total', 'Connections ended by the gateway, by close code', [
    'code',
  ]);
  readonly #frameSeconds = new Histogram({
    name: 'gaze_relay_frame_seconds',
    help: 'From the receipt of a frame to its update',
    buckets: LATENCY_BUCKETS_S,
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry, prefix: 'gaze_relay_' });
  }

  received(kind: ClientMessage['kind']): void {
    this.#received.inc({ kind });
  }

  answered(outcome: Outcome, late: boolean): void {
    this.#answered.inc({ outcome });
    if (late) this.#answeredLate.inc({ outcome });
  }

  inferred(status: LinkAnswer['status'], receiptToAnswerMs: number): void {
    this.#answers.inc({ status });
    if (status === 'ok') this.#frameSeconds.observe(receiptToAnswerMs / 1000);
  }

  delivered(outcome: 'stored' | 'unreachable' | 'rejected', applied: number, repeated: number): void {
    this.#deliveries.inc({ outcome });
    this.#windows.inc({ result: 'applied' }, applied);
    this.#windows.inc({ result: 'repeated' }, repeated);
  }

  closed(code: number): void {
    this.#closes.inc({ code: String(code) });
  }

  /** Adds the gauges, which are read when someone asks. */
  watch(readings: GaugeReadings): void {
    const { registry } = this;
    const gauge = (name: string, help: string, read: () => number) =>
      new Gauge({
        name: `gaze_relay_${name}`,
        help,
        registers: [registry],
        collect() {
          this.set(read());
        },
      });
    const tally = (name: string, help: string, labelNames: string[], read: () => readonly Record<string, string>[]) =>
      new Gauge({
        name: `gaze_relay_${name}`,
        help,
        labelNames,
        registers: [registry],
        collect() {
          this.reset();
          for (const labels of read()) this.inc(labels);
        },
      });
    tally('sessions', 'Sessions with a connection, by mode and phase', ['mode', 'phase'], () =>
      readings.sessions().map(({ mode, phase }) => ({ mode, phase })),
    );
    gauge('sessions_detached', 'Sessions without a connection that may come back', readings.detachedSessions);
    tally('inference_links', 'Inference replicas by the state of their link', ['state'], () =>
      readings.links().map(({ state }) => ({ state })),
    );
    gauge('spool_windows', 'Windows on disk that wait for the store', readings.spoolDepth);
    gauge(
      'spool_oldest_seconds',
      'Age of the window that waits longest, 0 if none waits',
      () => (readings.spoolOldestAgeMs() ?? 0) / 1000,
    );
    gauge('spool_set_aside_windows', 'Windows the store refused for good', readings.spoolSetAside);
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name: `gaze_relay_${name}`, help, labelNames, registers: [this.registry] });
  }
}
